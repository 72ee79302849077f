package inspect_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/console/inspect"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/mockidp/mutate"
)

const (
	agent = "0oa1acmeagent0000000"
	alice = "alice@acme.example"
	notes = "https://auth.notes.example"
)

func known(idp *mockidp.Test) inspect.Provider {
	return inspect.Provider{Issuer: idp.URL(), Keys: idp.PublicKeys, Directory: idp.Directory(), Now: idp.Now()}
}

func sign(t *testing.T, token *mockidp.Token) string {
	t.Helper()
	compact, err := token.Sign()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func explain(t *testing.T, idp *mockidp.Test, compact string) *inspect.Report {
	t.Helper()
	report, err := inspect.Token(compact, known(idp))
	if err != nil {
		t.Fatalf("the token is not explained: %v", err)
	}
	return report
}

// outcomes are those of the checks that are not ok, by title.
func outcomes(r *inspect.Report) map[string]inspect.Outcome {
	out := map[string]inspect.Outcome{}
	for _, c := range r.Checks {
		if c.Outcome != inspect.OK {
			out[c.Title] = c.Outcome
		}
	}
	return out
}

func TestHonestIDJAG(t *testing.T) {
	idp := mockidp.New(t)
	compact := sign(t, idp.IDJAG(alice, agent, "notes"))
	r := explain(t, idp, compact)
	if r.Kind != "ID-JAG" || len(outcomes(r)) > 0 {
		t.Errorf("an honest ID-JAG: kind %q, not ok: %v", r.Kind, outcomes(r))
	}
	for _, m := range append(r.Header, r.Claims...) {
		if m.Meaning == "" || m.Source.URL() == "" {
			t.Errorf("%s is explained as %q with source %q, expected both", m.Name, m.Meaning, m.Source)
		}
	}
	says := map[string]string{}
	for _, m := range append(r.Header, r.Claims...) {
		says[m.Name] = m.Says
	}
	for name, want := range map[string]string{"sub": "Alice Adams, " + alice, "aud": "the RAS of the connector Notes",
		"iss":       "this identity provider",
		"client_id": "the client Acme Agent at Notes", "resource": "of the connector Notes", "kid": "the key in use"} {
		if says[name] != want {
			t.Errorf("%s says %q, expected %q", name, says[name], want)
		}
	}
}

// change is what is done to an honest ID-JAG, and the check that has to see it.
type change struct {
	name, check string
	outcome     inspect.Outcome
	do          func(t *mockidp.Token)
}

func claim(name string, value any) func(*mockidp.Token) {
	return func(t *mockidp.Token) { t.Claims[name] = value }
}

func without(name string) func(*mockidp.Token) {
	return func(t *mockidp.Token) { delete(t.Claims, name) }
}

func header(name string, value any) func(*mockidp.Token) {
	return func(t *mockidp.Token) { t.Header[name] = value }
}

func in(d time.Duration) int64 { return time.Now().Add(d).Unix() }

var changes = []change{
	{"typ missing", "typ is oauth-id-jag+jwt", inspect.Problem, func(t *mockidp.Token) { delete(t.Header, "typ") }},
	{"typ JWT", "typ is oauth-id-jag+jwt", inspect.Problem, header("typ", "JWT")},
	{"typ a number", "typ is oauth-id-jag+jwt", inspect.Problem, header("typ", 1)},
	{"typ with its prefix", "typ is oauth-id-jag+jwt", inspect.Depends, header("typ", "application/OAuth-ID-JAG+jwt")},
	{"crit", "No critical extension, no key of its own", inspect.Problem, header("crit", []string{"x"})},
	{"jku", "No critical extension, no key of its own", inspect.Depends, header("jku", "https://evil.example")},
	{"kid unknown", "kid is a key of that issuer", inspect.Problem, header("kid", "other")},
	{"kid missing", "kid is a key of that issuer", inspect.Problem, func(t *mockidp.Token) { delete(t.Header, "kid") }},
	{"iss missing", "iss is a trusted issuer", inspect.Problem, without("iss")},
	{"iss an array", "iss is a trusted issuer", inspect.Problem, claim("iss", []string{"a"})},
	{"iss of another", "iss is a trusted issuer", inspect.Problem, claim("iss", "https://evil.example")},
	{"aud missing", "aud is the RAS's issuer identifier, and nothing else", inspect.Problem, without("aud")},
	{"aud of two", "aud is the RAS's issuer identifier, and nothing else", inspect.Problem,
		claim("aud", []string{notes, "https://evil.example"})},
	{"aud empty array", "aud is the RAS's issuer identifier, and nothing else", inspect.Problem, claim("aud", []string{})},
	{"aud an alias", "aud is the RAS's issuer identifier, and nothing else", inspect.Problem,
		claim("aud", "urn:acme:notes")},
	{"aud a number", "aud is the RAS's issuer identifier, and nothing else", inspect.Problem, claim("aud", 7)},
	{"client_id missing", "client_id is the client that authenticates", inspect.Problem, without("client_id")},
	{"client_id as here", "client_id is the client that authenticates", inspect.Problem, claim("client_id", agent)},
	{"client_id an array", "client_id is the client that authenticates", inspect.Problem,
		claim("client_id", []string{"acme-agent-at-notes"})},
	{"exp missing", "exp is to come", inspect.Problem, without("exp")},
	{"exp text", "exp is to come", inspect.Problem, claim("exp", "tomorrow")},
	{"exp beyond dates", "exp is to come", inspect.Problem, claim("exp", 1e300)},
	{"expired", "exp is to come", inspect.Problem, claim("exp", in(-time.Hour))},
	{"just expired", "exp is to come", inspect.Depends, claim("exp", in(-20*time.Second))},
	{"iat missing", "iat has been", inspect.Problem, without("iat")},
	{"iat ahead", "iat has been", inspect.Problem, claim("iat", in(10*time.Minute))},
	{"nbf ahead", "nbf, if any, has been", inspect.Problem, claim("nbf", in(10*time.Minute))},
	{"nbf text", "nbf, if any, has been", inspect.Problem, claim("nbf", "now")},
	{"a day's life", "Lifetime is a few minutes", inspect.Problem, claim("exp", in(24*time.Hour))},
	{"half an hour's life", "Lifetime is a few minutes", inspect.Depends, claim("exp", in(30*time.Minute))},
	{"jti missing", "jti is there, and new to the RAS", inspect.Problem, without("jti")},
	{"jti a number", "jti is there, and new to the RAS", inspect.Problem, claim("jti", 1)},
	{"sub missing", "sub names a user", inspect.Problem, without("sub")},
	{"sub unknown", "sub names a user", inspect.Depends, claim("sub", "00unobody")},
	{"tenant unasked", "tenant is the customer's", inspect.Depends, claim("tenant", "acme")},
	{"tenant a number", "tenant is the customer's", inspect.Problem, claim("tenant", 7)},
	{"resource of another", "resource is an MCP server of this RAS", inspect.Problem,
		claim("resource", "https://evil.example/mcp")},
	{"resource one of two", "resource is an MCP server of this RAS", inspect.Problem,
		claim("resource", []string{"https://mcp.notes.example/mcp", "https://evil.example/mcp"})},
	{"resource a number", "resource is an MCP server of this RAS", inspect.Problem, claim("resource", 1)},
	{"resource missing", "resource is an MCP server of this RAS", inspect.Depends, without("resource")},
	{"scope of another", "scope is registered for that resource", inspect.Problem,
		claim("scope", "notes.read ledger.post")},
	{"scope an array", "scope is registered for that resource", inspect.Problem, claim("scope", []string{"notes.read"})},
	{"scope with two spaces", "scope is registered for that resource", inspect.Problem,
		claim("scope", "notes.read  notes.write")},
	{"scope missing", "scope is registered for that resource", inspect.Depends, without("scope")},
	{"cnf", "cnf, if any, is proved", inspect.Depends, claim("cnf", map[string]string{"jkt": "x"})},
	{"cnf without jkt", "cnf, if any, is proved", inspect.Problem, claim("cnf", map[string]string{})},
}

func TestEachCheckSeesItsMistake(t *testing.T) {
	idp := mockidp.New(t)
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			token := idp.IDJAG(alice, agent, "notes")
			c.do(token)
			got := outcomes(explain(t, idp, hostile.Sign(token)))
			if got[c.check] != c.outcome {
				t.Errorf("“%s” is %q, expected %q; not ok are %v", c.check, got[c.check], c.outcome, got)
			}
		})
	}
}

func TestSignatures(t *testing.T) {
	idp := mockidp.New(t)
	honest := idp.IDJAG(alice, agent, "notes")
	compact := sign(t, honest)
	stranger, err := mockidp.NewKey("RS256")
	if err != nil {
		t.Fatal(err)
	}
	forged := honest.Clone()
	forged.Key = stranger // the kid of the honest key
	renamed := honest.Clone()
	renamed.Header["alg"] = "PS256"
	const verifies, algorithm = "Signature verifies with that key", "alg is on an allow-list"
	for name, c := range map[string]struct{ token, check string }{
		"bit flipped":    {hostile.FlipSignature(compact), verifies},
		"signature gone": {hostile.WithoutSignature(compact), verifies},
		"another key":    {hostile.Sign(forged), verifies},
		"none":           {hostile.None(honest, "none"), algorithm},
		"nOnE":           {hostile.None(honest, "nOnE"), algorithm},
		"alg missing":    {hostile.None(honest, nil), algorithm},
		"HMAC":           {hostile.HMAC(honest, []byte("secret")), algorithm},
		"alg of another": {hostile.Sign(renamed), algorithm},
		"claim twice":    {hostile.Duplicate(honest, "aud", notes, "https://evil.example"), "Member names are unique"},
	} {
		if got := outcomes(explain(t, idp, c.token)); got[c.check] != inspect.Problem {
			t.Errorf("%s: “%s” is %q, expected a problem", name, c.check, got[c.check])
		}
	}
	idp.Must(func() error { _, err := idp.RotateKeys(true); return err }())
	if got := outcomes(explain(t, idp, compact)); got["kid is a key of that issuer"] != inspect.Problem {
		t.Error("a token of a withdrawn key is not told")
	}
}

func TestKinds(t *testing.T) {
	idp := mockidp.New(t)
	with := func(header, claims map[string]any) string {
		return hostile.Sign(&mockidp.Token{Header: header, Claims: claims, Key: idp.Issuer().Keys.Signing()})
	}
	for want, compact := range map[string]string{
		"ID token":             idp.Login(alice, agent, "profile").IDToken,
		"Access token":         with(map[string]any{"alg": "RS256"}, map[string]any{"scp": []string{"a"}, "cid": agent}),
		"DPoP proof":           with(map[string]any{"typ": "dpop+jwt"}, map[string]any{}),
		"Logout token":         with(map[string]any{"typ": "logout+jwt"}, map[string]any{}),
		"Client assertion":     with(map[string]any{}, map[string]any{"iss": agent, "sub": agent}),
		"JWT of no known kind": with(map[string]any{}, map[string]any{}),
	} {
		r := explain(t, idp, compact)
		if r.Kind != want {
			t.Errorf("a %s is called %s", want, r.Kind)
		}
		if outcomes(r)["typ is oauth-id-jag+jwt"] != inspect.Problem {
			t.Errorf("a %s passes as a grant", want)
		}
	}
}

func TestCustomServersTokenVerifies(t *testing.T) {
	idp := mockidp.New(t)
	keys, ok := idp.PublicKeys(idp.URL() + "/oauth2/default")
	if own, _ := idp.PublicKeys(idp.URL()); !ok || len(keys.Keys) == 0 || len(keys.Key(own.Keys[0].KeyID)) > 0 {
		t.Fatal("a custom authorization server has keys of its own")
	}
	if _, ok := idp.PublicKeys("https://evil.example"); ok {
		t.Error("a stranger's keys are known")
	}
}

func TestEncrypted(t *testing.T) {
	idp := mockidp.New(t)
	key, err := mockidp.NewKey("RS256")
	if err != nil {
		t.Fatal(err)
	}
	to := key.Public()
	to.Algorithm = "RSA-OAEP-256"
	jwe, err := hostile.Encrypt(sign(t, idp.IDJAG(alice, agent, "notes")), to)
	if err != nil {
		t.Fatal(err)
	}
	r := explain(t, idp, jwe)
	if !strings.HasPrefix(r.Kind, "Encrypted") || len(r.Claims) > 0 || len(r.Checks) > 0 || len(r.Header) == 0 {
		t.Errorf("an encrypted token: %s with %d claims and %d checks, expected its header alone", r.Kind, len(r.Claims),
			len(r.Checks))
	}
}

func TestHostileText(t *testing.T) {
	idp := mockidp.New(t)
	b64 := base64.RawURLEncoding.EncodeToString
	head := b64([]byte(`{"alg":"RS256"}`))
	token := func(payload []byte) string { return head + "." + b64(payload) + ".c2VjcmV0" }
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {" \n", "nothing was pasted"},
		"words":             {"supersecretword", "it has no dots"},
		"four parts":        {"a.b.c.supersecretword", "it has 4 parts"},
		"many parts":        {hostile.Segments(10_000), "it has 10000 parts"},
		"a megabyte":        {strings.Repeat("supersecretword", 1<<20/15), "KiB of text"},
		"no base64url":      {"supersecret word!.b.c", "the header part is not base64url"},
		"padded":            {head + "=.e30.x", "the header part is not base64url"},
		"header no JSON":    {b64([]byte("supersecretword")) + ".e30.c2ln", "the header part is not JSON"},
		"claims an array":   {token([]byte(`["supersecretword"]`)), "the claims part is an array"},
		"claims a string":   {token([]byte(`"supersecretword"`)), "the claims part is a string"},
		"claims null":       {token([]byte(`null`)), "the claims part is null"},
		"claims cut":        {token([]byte(`{"a":"supersecretword"`)), "the claims part is not JSON"},
		"more after claims": {token([]byte(`{"a":1}{"supersecretword":2}`)), "has more after its JSON object"},
		"not UTF-8":         {token([]byte("{\"a\":\"supersecretword\xff\"}")), "is not valid UTF-8"},
		"nested":            {token(hostile.Nested(500)), "is nested deeper than 24"},
		"signature no text": {head + ".e30.???", "the signature, is not base64url"},
	} {
		_, err := inspect.Token(c.text, known(idp))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected it to say %q", name, err, c.want)
		} else if strings.Contains(err.Error(), "supersecretword") {
			t.Errorf("%s: the message quotes the text", name)
		}
	}
}

func TestHugeAndHiddenValuesAreTamed(t *testing.T) {
	idp := mockidp.New(t)
	token := idp.IDJAG(alice, agent, "notes")
	token.Claims = map[string]any{"long": strings.Repeat("x", 30_000), "turned": "abc\u202edef\x00",
		strings.Repeat("n", 5000): 1}
	for n := range 300 {
		token.Claims["c"+strings.Repeat("i", n%7)+string(rune('a'+n%26))+strings.Repeat("j", n/26)] = n
	}
	r := explain(t, idp, hostile.Sign(token))
	if len(r.Claims) != 100 || r.Left == 0 {
		t.Errorf("%d claims are shown and %d are left, expected 100 and the rest", len(r.Claims), r.Left)
	}
	token.Claims = map[string]any{"long": strings.Repeat("x", 30_000), "turned": "abc\u202edef\x00",
		strings.Repeat("n", 5000): 1}
	for _, m := range explain(t, idp, hostile.Sign(token)).Claims {
		if len(m.Value) > 2000 || len(m.Name) > 200 || strings.ContainsAny(m.Value, "\u202e\x00") {
			t.Errorf("claim %.20s: name of %d bytes, value of %d: expected them cut, and hidden characters escaped", m.Name,
				len(m.Name), len(m.Value))
		}
	}
}

func TestPasteIsCleaned(t *testing.T) {
	idp := mockidp.New(t)
	compact := sign(t, idp.IDJAG(alice, agent, "notes"))
	broken := "  Bearer " + compact[:40] + "\n  " + compact[40:] + " \n"
	r := explain(t, idp, broken)
	if len(r.Notes) != 1 || len(outcomes(r)) > 0 {
		t.Errorf("a token with a line break: notes %v, not ok %v", r.Notes, outcomes(r))
	}
	if r := explain(t, idp, `"`+compact+`"`); len(r.Notes) > 0 || len(outcomes(r)) > 0 {
		t.Errorf("a token in quotes: notes %v, not ok %v", r.Notes, outcomes(r))
	}
}

func TestInactiveUserIsTold(t *testing.T) {
	idp := mockidp.New(t)
	compact := sign(t, idp.IDJAG(alice, agent, "notes"))
	idp.Must(idp.SetStatus(alice, directory.Suspended))
	if got := outcomes(explain(t, idp, compact)); got["sub names a user"] != inspect.Depends {
		t.Errorf("a suspended user: %v", got)
	}
}

func FuzzToken(f *testing.F) {
	mutate.Add(f, "eyJhbGciOiJub25lIn0.eyJhdWQiOlsiYSIsImIiXX0.")
	mutate.Add(f, "a.b.c.d.e")
	mutate.Add(f, hostile.Segments(3))
	d := directory.Default()
	keys, err := mockidp.NewKeySet("ES256")
	if err != nil {
		f.Fatal(err)
	}
	idp, err := mockidp.NewIdP(mockidp.ServerOptions{URL: "https://idp.example", Keys: keys, Directory: d})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := inspect.Token(text, inspect.Provider{Issuer: "https://idp.example", Keys: idp.PublicKeys, Directory: d,
			Now: time.Now()})
		if err == nil && len(r.Checks) > 0 {
			for _, c := range r.Checks {
				if c.Title == "Signature verifies with that key" && c.Outcome == inspect.OK {
					t.Error("a signature verifies that nobody made")
				}
			}
		}
	})
}
