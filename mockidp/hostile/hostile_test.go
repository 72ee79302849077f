package hostile_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

var algorithms = append(mockidp.Algorithms(), jose.HS256)

func newKey(t *testing.T, alg jose.SignatureAlgorithm) *mockidp.Key {
	t.Helper()
	key, err := mockidp.NewKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newToken(key *mockidp.Key) *mockidp.Token {
	return mockidp.NewToken(key, mockidp.TypeIDJAG, map[string]any{"sub": "alice", "aud": "https://as.example"})
}

// verifies tells whether go-jose takes the token's signature for one by this key.
func verifies(t *testing.T, compact string, key any) bool {
	t.Helper()
	signed, err := jose.ParseSignedCompact(compact, algorithms)
	if err != nil {
		return false
	}
	_, err = signed.Verify(key)
	return err == nil
}

func part(t *testing.T, compact string, n int) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[n])
	if err != nil {
		t.Fatalf("part %d is not base64url: %v", n, err)
	}
	return raw
}

func jsonPart(t *testing.T, compact string, n int) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(part(t, compact, n), &members); err != nil {
		t.Fatalf("part %d is not JSON: %v", n, err)
	}
	return members
}

func TestSignVerifiesUnderEachAlgorithm(t *testing.T) {
	for _, alg := range mockidp.Algorithms() {
		key := newKey(t, alg)
		if !verifies(t, hostile.Sign(newToken(key)), key.Public()) {
			t.Errorf("%s: the signature does not verify", alg)
		}
	}
}

func TestSignSignsAnyHeaderAsItStands(t *testing.T) {
	key := newKey(t, jose.EdDSA)
	token := newToken(key)
	for _, header := range []map[string]any{
		{"alg": "ES512"}, {"alg": 5.0}, {"alg": nil}, {"typ": "JWT"}, {}, {"crit": []any{"exp"}},
	} {
		token.Header = header
		compact := hostile.Sign(token)
		if got := jsonPart(t, compact, 0); !reflect.DeepEqual(got, header) {
			t.Errorf("header %v came out as %v", header, got)
		}
		public := key.Public().Key.(ed25519.PublicKey)
		if !ed25519.Verify(public, []byte(hostile.CutSignature(compact)), part(t, compact, 2)) {
			t.Errorf("header %v: the signature is not over it", header)
		}
	}
}

func TestSignBytesSignsAnything(t *testing.T) {
	key := newKey(t, jose.ES256)
	payload := []byte("not JSON \xff\x00")
	compact := hostile.SignBytes(key, []byte(`{"alg":"ES256"}`), payload)
	signed, err := jose.ParseSignedCompact(compact, algorithms)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := signed.Verify(key.Public()); err != nil || string(got) != string(payload) {
		t.Errorf("payload %q, error %v", got, err)
	}
	if got := part(t, hostile.SignBytes(key, []byte("{broken"), payload), 0); string(got) != "{broken" {
		t.Errorf("header came out as %q", got)
	}
}

func TestNoneIsUnsecured(t *testing.T) {
	token := newToken(newKey(t, jose.RS256))
	for _, alg := range []any{"none", "nOnE", 0.0, true, nil} {
		compact := hostile.None(token, alg)
		got, present := jsonPart(t, compact, 0)["alg"]
		if got != alg || present != (alg != nil) {
			t.Errorf("alg %v came out as %v", alg, got)
		}
		if !strings.HasSuffix(compact, ".") || strings.Count(compact, ".") != 2 {
			t.Errorf("alg %v: has a signature", alg)
		}
	}
	if token.Header["alg"] != "RS256" {
		t.Error("the caller's header was changed")
	}
}

func TestHMACVerifiesWithItsSecret(t *testing.T) {
	key := newKey(t, jose.RS256)
	for _, form := range hostile.PublicKeyForms(key) {
		compact := hostile.HMAC(newToken(key), form.Bytes)
		if !verifies(t, compact, form.Bytes) {
			t.Errorf("%s: does not verify with the secret", form.Name)
		}
		if verifies(t, compact, append([]byte("x"), form.Bytes...)) {
			t.Errorf("%s: verifies with another secret", form.Name)
		}
	}
}

func TestChangedSignaturesDoNotVerify(t *testing.T) {
	for _, alg := range mockidp.Algorithms() {
		key := newKey(t, alg)
		honest, other := hostile.Sign(newToken(key)), hostile.Sign(mockidp.NewToken(key, "", map[string]any{"sub": "bob"}))
		changed := map[string]string{
			"flipped": hostile.FlipSignature(honest),
			"payload": hostile.WithPayload(honest, map[string]any{"sub": "mallory"}),
			"empty":   hostile.WithoutSignature(honest),
			"cut":     hostile.CutSignature(honest),
			"swapped": hostile.WithSignatureOf(honest, other),
			"zero":    hostile.ZeroSignature(newToken(key)),
		}
		for name, compact := range changed {
			if verifies(t, compact, key.Public()) {
				t.Errorf("%s: %s verifies", alg, name)
			}
		}
		if !verifies(t, honest, key.Public()) {
			t.Errorf("%s: the honest token does not verify", alg)
		}
		for _, name := range []string{"flipped", "empty", "cut", "swapped"} {
			if strings.Join(strings.Split(changed[name], ".")[:2], ".") != strings.Join(strings.Split(honest, ".")[:2], ".") {
				t.Errorf("%s: %s has another header or payload", alg, name)
			}
		}
		if got := jsonPart(t, changed["payload"], 1)["sub"]; got != "mallory" {
			t.Errorf("%s: payload is of %v", alg, got)
		}
		if a, b := part(t, honest, 2), part(t, changed["flipped"], 2); differentBits(a, b) != 1 {
			t.Errorf("%s: flipped differs in %d bits", alg, differentBits(a, b))
		}
		if part(t, changed["swapped"], 2)[0] != part(t, other, 2)[0] {
			t.Errorf("%s: swapped has not the other's signature", alg)
		}
	}
}

func differentBits(a, b []byte) (n int) {
	if len(a) != len(b) {
		return -1
	}
	for i := range a {
		for d := a[i] ^ b[i]; d != 0; d &= d - 1 {
			n++
		}
	}
	return n
}

func TestZeroSignatureIsES256(t *testing.T) {
	compact := hostile.ZeroSignature(newToken(newKey(t, jose.RS256)))
	if alg := jsonPart(t, compact, 0)["alg"]; alg != "ES256" {
		t.Errorf("alg is %v", alg)
	}
	if got := part(t, compact, 2); string(got) != string(make([]byte, 64)) {
		t.Errorf("signature is %x", got)
	}
}

func TestDuplicateHoldsBothInOrder(t *testing.T) {
	key := newKey(t, jose.EdDSA)
	for _, claims := range []map[string]any{{"sub": "alice", "aud": "https://as.example"}, {"aud": "x"}, {}} {
		token := mockidp.NewToken(key, "", claims)
		compact := hostile.Duplicate(token, "aud", "https://as.example", []string{"https://evil.example"})
		if !verifies(t, compact, key.Public()) {
			t.Error("does not verify")
		}
		payload := string(part(t, compact, 1))
		first := strings.Index(payload, `"aud":"https://as.example"`)
		last := strings.Index(payload, `"aud":["https://evil.example"]`)
		if first < 0 || last < first || strings.Count(payload, `"aud"`) != 2 {
			t.Errorf("payload is %s", payload)
		}
		if got := jsonPart(t, compact, 1)["sub"]; got != claims["sub"] {
			t.Errorf("sub became %v", got)
		}
	}
}

func TestSegmentsAndNested(t *testing.T) {
	for _, n := range []int{1, 4, 5, 1000} {
		if got := strings.Split(hostile.Segments(n), "."); len(got) != n || got[0] == "" || got[n-1] == "" {
			t.Errorf("%d segments asked, %d given", n, len(got))
		}
		var value any
		if err := json.Unmarshal(hostile.Nested(n), &value); err != nil {
			t.Fatalf("depth %d: %v", n, err)
		}
		depth := 0
		for object, ok := value.(map[string]any); ok; object, ok = object["a"].(map[string]any) {
			depth++
		}
		if depth != n {
			t.Errorf("depth %d asked, %d given", n, depth)
		}
	}
}
