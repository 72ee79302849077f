package grammar

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

// Forge is what there is to forge a JWT with: an honest one, and what everybody can know.
type Forge struct {
	Honest   mockidp.Token     // its Key is nil where only others have it
	Issued   string            // the honest one as others have signed it, "" where its Key is here
	Public   []jose.JSONWebKey // those that verify the honest one
	Stranger *mockidp.Key
	URL      string // below which the stranger's key set is, "" where nobody can be sent there
	Chain    string // where the stranger's certificate is, in PEM
}

// token is the honest one with another header, for this key to sign.
func (f Forge) token(key *mockidp.Key, change func(header map[string]any)) *mockidp.Token {
	t := &mockidp.Token{Header: maps.Clone(f.Honest.Header), Claims: f.Honest.Claims, Key: key}
	if key != nil {
		t.Header["alg"] = key.Algorithm
	}
	change(t.Header)
	return t
}

// Read is a JWT as a careless verifier has it.
type Read struct {
	Compact   string
	Header    map[string]any
	Signature []byte
	Public    []jose.JSONWebKey // those that should verify it
}

func (r Read) text(member string) string {
	s, _ := r.Header[member].(string)
	return s
}

func (r Read) input() string { return r.Compact[:max(0, strings.LastIndexByte(r.Compact, '.'))] }

func (r Read) byHMAC(secret []byte) bool {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(r.input()))
	return r.text("alg") == "HS256" && hmac.Equal(mac.Sum(nil), r.Signature)
}

// Forgery is a way of verifying a JWT carelessly. It goes for JWTs of every kind, so that the checks and defects of
// each are made from the same table.
type Forgery struct {
	ID     string // short and stable: part of the ids of checks and defects
	Title  string // completes "the signature …", of who makes the mistake
	Tokens []string
	Made   []Made
	Takes  func(r Read) bool // the mistake
	// Algorithm says that it is a matter of which algorithms are taken, and not of whose key has signed.
	Algorithm bool
}

// Made is one of the things that a forgery makes of a JWT.
type Made struct {
	Slug string // part of the check's id; "" when it is the only one
	What string // completes "a client assertion …"
	Of   func(f Forge) (compact string, ok bool)
}

// The kinds of JWTs to forge.
const (
	IDJAG           = "id-jag"
	ClientAssertion = "login"
	Proof           = "proof"
	AccessToken     = "at"
	IDToken         = "id-token"
)

// Slug is the name of the check within its requirement.
func (f Forgery) Slug(m Made) string {
	if m.Slug == "" {
		return "forged-" + f.ID
	}
	return "forged-" + f.ID + "-" + m.Slug
}

// Defect is the id of the mistake of verifying this kind of JWT so.
func (f Forgery) Defect(token string) string { return token + "-forged/" + f.ID }

// Forgeries is every forgery for this kind of JWT.
func Forgeries(token string) []Forgery {
	var list []Forgery
	for _, f := range forgeries {
		if slices.Contains(f.Tokens, token) {
			list = append(list, f)
		}
	}
	return list
}

func unsecured(alg string) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) { return hostile.None(&f.Honest, alg), true }
}

func asItIs(map[string]any) {}

func kid(value any) func(map[string]any) {
	return func(header map[string]any) {
		header["kid"] = value
		if value == nil {
			delete(header, "kid")
		}
	}
}

// knownKid is a kid made of that of the honest one.
func knownKid(of func(kid string) any) func(map[string]any) {
	return func(header map[string]any) {
		known, _ := header["kid"].(string)
		header["kid"] = of(cmp.Or(known, "1"))
	}
}

func underSecret(secret string, change func(map[string]any)) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) { return hostile.HMAC(f.token(nil, change), []byte(secret)), true }
}

func byStranger(change func(map[string]any)) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) { return hostile.Sign(f.token(f.Stranger, change)), true }
}

// pointing is by a stranger, and its header says where the key is.
func pointing(member string) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) {
		if f.URL == "" {
			return "", false
		}
		where := f.URL + "/" + rand.Text() + "/jwks"
		if member == "x5u" {
			where = f.Chain
		}
		return hostile.Sign(f.token(f.Stranger, func(h map[string]any) {
			h["kid"], h[member] = f.Stranger.KeyID, where
		})), true
	}
}

func pointsAway(member string) func(Read) bool {
	return func(r Read) bool { return strings.HasPrefix(r.text(member), "http") }
}

// underPublic is an HMAC whose secret is a key that everybody has, in one of these forms.
func underPublic(forms ...string) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) {
		for _, key := range f.Public {
			for _, one := range hostile.PublicKeyForms(&mockidp.Key{JSONWebKey: key}) {
				if slices.Contains(forms, one.Name) {
					return hostile.HMAC(f.token(nil, asItIs), one.Bytes), true
				}
			}
		}
		return "", false
	}
}

func anyForm(r Read) bool {
	for _, key := range r.Public {
		for _, form := range hostile.PublicKeyForms(&mockidp.Key{JSONWebKey: key}) {
			if r.byHMAC(form.Bytes) {
				return true
			}
		}
	}
	return false
}

// guessed are secrets that stand in the sample configurations of many frameworks.
var guessed = []string{"secret", "changeme", "your-256-bit-secret"}

func critical(names []any, members map[string]any) func(Forge) (string, bool) {
	return func(f Forge) (string, bool) {
		if f.Honest.Key == nil {
			return "", false
		}
		return hostile.Sign(f.token(f.Honest.Key, func(h map[string]any) {
			maps.Copy(h, members)
			h["crit"] = names
		})), true
	}
}

func (r Read) known(kid any) bool {
	return slices.ContainsFunc(r.Public, func(k jose.JSONWebKey) bool { return k.KeyID == kid })
}

// verifiedBy looks at the signature alone, whatever else the header says.
func (r Read) verifiedBy(key jose.JSONWebKey) bool {
	input := []byte(r.input())
	digest := sha256.Sum256(input)
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey:
		half := len(r.Signature) / 2
		return half == 32 && ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(r.Signature[:half]),
			new(big.Int).SetBytes(r.Signature[half:]))
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], r.Signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(public, input, r.Signature)
	}
	return false
}

func (r Read) embedded() bool {
	var key jose.JSONWebKey
	raw, err := json.Marshal(r.Header["jwk"])
	return err == nil && r.Header["jwk"] != nil && key.UnmarshalJSON(raw) == nil && r.verifiedBy(key)
}

func (r Read) inASN1() bool {
	digest := sha256.Sum256([]byte(r.input()))
	return slices.ContainsFunc(r.Public, func(k jose.JSONWebKey) bool {
		public, ok := k.Key.(*ecdsa.PublicKey)
		return ok && ecdsa.VerifyASN1(public, digest[:], r.Signature)
	})
}

// withoutCritical verifies as if crit were not there.
func (r Read) withoutCritical() bool {
	return r.Header["crit"] != nil && slices.ContainsFunc(r.Public, r.verifiedBy)
}

// The kinds that a forgery goes for. Spellings of none in an ID-JAG are a matter of the identifier alg-none.
var (
	everyKind = []string{IDJAG, ClientAssertion, Proof, AccessToken, IDToken}
	others    = []string{ClientAssertion, Proof, AccessToken, IDToken}
	toRead    = []string{IDJAG, ClientAssertion, Proof, IDToken}
	toSign    = []string{IDJAG, ClientAssertion}
	byOthers  = []string{IDJAG, ClientAssertion, AccessToken}
)

var forgeries = []Forgery{
	{ID: "unsigned", Title: "is not needed when alg is none", Tokens: []string{IDJAG}, Algorithm: true, Made: []Made{
		{"", "that is unsigned, with alg none", unsecured("none")}},
		Takes: func(r Read) bool { return r.Header["alg"] == "none" && len(r.Signature) == 0 }},
	{ID: "none", Title: "is not needed when alg is another spelling of none", Tokens: others, Made: []Made{
		{"capital", "that is unsigned, with alg None", unsecured("None")}, {"upper", "that is unsigned, with alg NONE",
			unsecured("NONE")},
		{"mixed", "that is unsigned, with alg nOnE", unsecured("nOnE")}},
		Takes: func(r Read) bool { return r.text("alg") != "none" && strings.EqualFold(r.text("alg"), "none") }},
	{ID: "none-empty", Title: "is not needed when alg is empty", Tokens: everyKind, Algorithm: true, Made: []Made{
		{"", "that is unsigned, with an empty alg", unsecured("")}},
		Takes: func(r Read) bool { return r.Header["alg"] == "" && len(r.Signature) == 0 }},
	{ID: "no-signature", Title: "is verified when there is one", Tokens: toRead, Made: []Made{
		{"", "whose signature was cut off", func(f Forge) (string, bool) {
			return hostile.WithoutSignature(hostile.Sign(f.token(f.Stranger, asItIs))), true
		}}},
		Takes: func(r Read) bool {
			return len(r.Signature) == 0 && !strings.EqualFold(r.text("alg"), "none") && r.text("alg") != ""
		}},
	{ID: "hmac-empty", Title: "may be an HMAC under an empty secret", Tokens: everyKind, Algorithm: true, Made: []Made{
		{"known", "that is an HMAC under an empty secret, with the kid of the key", underSecret("", asItIs)},
		{"no-kid", "that is an HMAC under an empty secret, without kid", underSecret("", kid(nil))},
		{"unknown", "that is an HMAC under an empty secret, with an unknown kid", underSecret("", kid("emaconform-unknown"))},
		{"path", "that is an HMAC under no secret, with a kid that is the path of an empty file",
			underSecret("", kid("../../../../../../../dev/null"))},
		{"sql", "that is an HMAC under no secret, with a kid that makes an SQL query yield an empty key",
			underSecret("", kid("' UNION SELECT '' -- "))}},
		Takes: func(r Read) bool { return r.byHMAC(nil) }},
	{ID: "hmac-public", Title: "may be an HMAC under a key that everybody has", Tokens: toRead, Algorithm: true,
		Made: []Made{{"pem", "that is an HMAC under the public key in PEM", underPublic("pem-pkix")},
			{"number", "that is an HMAC under the bare number of the public key, its modulus or x", underPublic("modulus", "x")},
			{"der", "that is an HMAC under the public key in DER", underPublic("der")},
			{"jwk", "that is an HMAC under the public key as JSON", underPublic("jwk")}},
		Takes: anyForm},
	{ID: "hmac-pkcs1", Title: "may be an HMAC under the RSA key that everybody has", Tokens: []string{IDJAG},
		Algorithm: true, Made: []Made{
			{"", "that is an HMAC under the RSA key in PKCS #1 PEM", underPublic("pem-pkcs1")}},
		Takes: anyForm},
	{ID: "hmac-guessed", Title: "may be an HMAC under a secret of a sample configuration",
		Tokens: byOthers, Algorithm: true,
		Made: []Made{{"secret", `that is an HMAC under the word "secret"`, underSecret(guessed[0], asItIs)},
			{"changeme", `that is an HMAC under the word "changeme"`, underSecret(guessed[1], asItIs)},
			{"sample", "that is an HMAC under the secret of a well-known sample", underSecret(guessed[2], asItIs)}},
		Takes: func(r Read) bool {
			return slices.ContainsFunc(guessed, func(secret string) bool { return r.byHMAC([]byte(secret)) })
		}},
	{ID: "jwk", Title: "is verified with the key in the header (jwk)", Tokens: toSign, Made: []Made{
		{"", "that brings its key along (jwk)", func(f Forge) (string, bool) {
			return hostile.WithJWK(f.token(f.Stranger, asItIs), f.Stranger), true
		}}}, Takes: Read.embedded},
	{ID: "x5c", Title: "is verified with the certificate in the header (x5c)",
		Tokens: []string{IDJAG, ClientAssertion, IDToken},
		Made: []Made{
			{"", "that brings a certificate along (x5c)", func(f Forge) (string, bool) {
				return hostile.WithX5C(f.token(f.Stranger, asItIs), f.Stranger), true
			}}}, Takes: func(r Read) bool { return r.Header["x5c"] != nil }},
	{ID: "jku", Title: "is verified with the key set that jku points at", Tokens: toSign,
		Made: []Made{{"", "whose jku points at the key to verify it", pointing("jku")}}, Takes: pointsAway("jku")},
	{ID: "x5u", Title: "is verified with the certificate that x5u points at",
		Tokens: byOthers,
		Made:   []Made{{"", "whose x5u points at the key to verify it", pointing("x5u")}}, Takes: pointsAway("x5u")},
	{ID: "kid-url", Title: "is verified with the key that a kid leads to which is a URL",
		Tokens: toSign,
		Made: []Made{{"", "whose kid is the URL of the key to verify it", func(f Forge) (string, bool) {
			return hostile.Sign(f.token(f.Stranger, kid(f.URL+"/"+rand.Text()+"/jwks"))), f.URL != ""
		}}}, Takes: pointsAway("kid")},
	{ID: "unknown-key", Title: "is not verified when kid leads to no key",
		Tokens: byOthers, Made: []Made{
			{"kid", "by a stranger, with an unknown kid", byStranger(kid("emaconform-unknown"))},
			{"no-kid", "by a stranger, without kid", byStranger(kid(nil))},
			{"empty", "by a stranger, with an empty kid", byStranger(kid(""))},
			{"prototype", "by a stranger, with the kid __proto__", byStranger(kid("__proto__"))},
			{"constructor", "by a stranger, with the kid constructor", byStranger(kid("constructor"))},
			{"number", "by a stranger, with a kid that is the number 0", byStranger(kid(0))},
			{"null", "by a stranger, with a kid that is null", byStranger(func(h map[string]any) { h["kid"] = nil })},
			{"array", "by a stranger, with the kid of the key in an array", byStranger(knownKid(func(k string) any {
				return []any{k}
			}))},
			{"case", "by a stranger, with the kid of the key in another case", byStranger(knownKid(func(k string) any {
				return otherCase(k)
			}))},
			{"space", "by a stranger, with the kid of the key and a space", byStranger(knownKid(func(k string) any {
				return k + " "
			}))},
			{"nul", "by a stranger, with the kid of the key, a NUL and more", byStranger(knownKid(func(k string) any {
				return k + "\x00" + Word
			}))},
			{"path", "by a stranger, with a kid that is the path of no file", byStranger(kid("../../" + Word))},
			{"sql", "by a stranger, with a kid that makes an SQL query yield nothing", byStranger(kid("' AND 1=0 -- "))}},
		Takes: func(r Read) bool {
			return !r.known(r.Header["kid"]) && slices.Contains(strangers, r.text("alg")) && len(r.Signature) > 0
		}},
	{ID: "zero", Title: "may be r = s = 0", Tokens: everyKind, Made: []Made{
		{"", "with an ECDSA signature of r = s = 0", func(f Forge) (string, bool) {
			return hostile.ZeroSignature(f.token(nil, asItIs)), true
		}}},
		Takes: func(r Read) bool { return r.text("alg") == "ES256" && bytes.Equal(r.Signature, make([]byte, 64)) }},
	{ID: "der", Title: "may be in ASN.1", Tokens: toRead, Made: []Made{
		{"", "with its ECDSA signature in ASN.1", func(f Forge) (string, bool) {
			if f.Honest.Key == nil || f.Honest.Key.Algorithm != string(jose.ES256) {
				return "", false
			}
			return hostile.DERSignature(f.token(f.Honest.Key, asItIs)), true
		}}}, Takes: Read.inASN1},
	{ID: "crit", Title: "is verified whatever is critical", Tokens: toRead, Made: []Made{
		{"unknown", "with a critical header that nobody knows",
			critical([]any{"emaconform"}, map[string]any{"emaconform": true})},
		{"b64", "that says its payload is not encoded (b64)", critical([]any{"b64"}, map[string]any{"b64": false})}},
		Takes: Read.withoutCritical},
	{ID: "crit-empty", Title: "is verified when no critical header is named", Tokens: []string{ClientAssertion, Proof},
		Made: []Made{
			{"", "with an empty list of critical headers", critical([]any{}, nil)}},
		Takes: Read.withoutCritical},
}

// strangers are the algorithms of keys that sign for strangers.
var strangers = []string{string(jose.RS256), string(jose.PS256), string(jose.ES256), string(jose.EdDSA)}

// Decode takes a compact JWS apart for those who do not verify it.
func Decode(compact string) (r Read, ok bool) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return r, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(raw, &r.Header) != nil {
		return r, false
	}
	r.Compact = compact
	r.Signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return r, err == nil
}
