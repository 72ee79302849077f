package dpop_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp/internal/dpop"
)

const endpoint = "https://idp.example/oauth2/v1/token"

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// proof signs claims with key, under a header that shows shown; typ "" is none.
func proof(t *testing.T, key *ecdsa.PrivateKey, typ string, shown any, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if typ != "" {
		options.WithType(jose.ContentType(typ))
	}
	if shown != nil {
		options.WithHeader("jwk", jose.JSONWebKey{Key: shown})
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// with is good claims, changed; nil takes one away.
func with(changes map[string]any) map[string]any {
	claims := map[string]any{"htm": "POST", "htu": endpoint, "jti": "p-1", "iat": now.Unix()}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

func never(_, _ time.Time, _ ...string) (bool, error) { return false, nil }

func TestVerifyReturnsTheThumbprint(t *testing.T) {
	key := newKey(t)
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for name, changes := range map[string]map[string]any{
		"plain": nil, "as old as may be": {"iat": now.Add(-dpop.Window).Unix()},
		"query, fragment and case": {"htu": "HTTPS://IDP.example/oauth2/v1/token?x=1#f"},
	} {
		jkt, err := dpop.Verify([]string{proof(t, key, "dpop+jwt", key.Public(), with(changes))}, "POST", endpoint, now,
			never)
		if err != nil || jkt != base64.RawURLEncoding.EncodeToString(sum) {
			t.Errorf("%s: %v, the right thumbprint %t", name, err, jkt == base64.RawURLEncoding.EncodeToString(sum))
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	key, other := newKey(t), newKey(t)
	good := proof(t, key, "dpop+jwt", key.Public(), with(nil))
	changed := func(changes map[string]any) []string {
		return []string{proof(t, key, "dpop+jwt", key.Public(), with(changes))}
	}
	for name, c := range map[string]struct {
		headers []string
		why     string
	}{
		"none":              {nil, "one DPoP header"},
		"two":               {[]string{good, good}, "one DPoP header"},
		"no JWT":            {[]string{"x.y.z"}, "no JWT"},
		"no typ":            {[]string{proof(t, key, "", key.Public(), with(nil))}, "typ"},
		"another typ":       {[]string{proof(t, key, "JWT", key.Public(), with(nil))}, "typ"},
		"no jwk":            {[]string{proof(t, key, "dpop+jwt", nil, with(nil))}, "jwk"},
		"private jwk":       {[]string{proof(t, key, "dpop+jwt", key, with(nil))}, "no JWT"},
		"another's jwk":     {[]string{proof(t, key, "dpop+jwt", other.Public(), with(nil))}, "signature"},
		"another method":    {changed(map[string]any{"htm": "GET"}), "htm"},
		"method's case":     {changed(map[string]any{"htm": "post"}), "htm"},
		"another host":      {changed(map[string]any{"htu": "https://evil.example/oauth2/v1/token"}), "htu"},
		"another path":      {changed(map[string]any{"htu": endpoint + "/x"}), "htu"},
		"another scheme":    {changed(map[string]any{"htu": "http://idp.example/oauth2/v1/token"}), "htu"},
		"no htu":            {changed(map[string]any{"htu": nil}), "htu"},
		"no iat":            {changed(map[string]any{"iat": nil}), "iat"},
		"too old":           {changed(map[string]any{"iat": now.Add(-dpop.Window - time.Second).Unix()}), "iat"},
		"from the future":   {changed(map[string]any{"iat": now.Add(dpop.Window + time.Second).Unix()}), "iat"},
		"no jti":            {changed(map[string]any{"jti": nil}), "jti"},
		"changed signature": {[]string{good[:len(good)-8] + "AAAAAAAA"}, "signature"},
	} {
		jkt, err := dpop.Verify(c.headers, "POST", endpoint, now, never)
		if err == nil || jkt != "" || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, expected an error about %s", name, err, c.why)
		}
	}
}

func TestVerifyRemembersTheProof(t *testing.T) {
	key := newKey(t)
	headers := []string{proof(t, key, "dpop+jwt", key.Public(), with(nil))}
	var asked []string
	again := func(ends, _ time.Time, parts ...string) (bool, error) {
		if !ends.Equal(now.Add(dpop.Window)) {
			t.Errorf("remembered until %s", ends)
		}
		asked = append(asked, strings.Join(parts, " "))
		return len(asked) > 1, nil
	}
	if _, err := dpop.Verify(headers, "POST", endpoint, now, again); err != nil {
		t.Fatal(err)
	}
	if _, err := dpop.Verify(headers, "POST", endpoint, now, again); err == nil ||
		!strings.Contains(err.Error(), "used before") {
		t.Errorf("a proof that comes twice: %v", err)
	}
	if len(asked) != 2 || asked[0] != asked[1] || !strings.HasSuffix(asked[0], " p-1") {
		t.Errorf("remembered as %q", asked)
	}
	full := errors.New("no room")
	if _, err := dpop.Verify(headers, "POST", endpoint, now, func(_, _ time.Time, _ ...string) (bool, error) {
		return false, full
	}); !errors.Is(err, full) {
		t.Errorf("a memory that is full: %v", err)
	}
}
