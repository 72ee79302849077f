package grammar

import (
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

// A forgery's own mistake takes all that it makes, and nobody else's honest JWT is one.
func TestEachForgeryIsTakenByItsMistake(t *testing.T) {
	key, stranger := newKey(t), newKey(t)
	honest := mockidp.NewToken(key, "JWT", map[string]any{"sub": "alice"})
	with := Forge{Honest: *honest, Public: []jose.JSONWebKey{key.Public()}, Stranger: stranger, URL: "http://127.0.0.1:1",
		Chain: "http://127.0.0.1:1/chain.pem"}
	plain, _ := Decode(hostile.Sign(honest))
	plain.Public = with.Public
	for _, f := range forgeries {
		if f.Takes(plain) {
			t.Errorf("%s takes an honest JWT for a forged one, so that its defect would change nothing", f.ID)
		}
		for _, m := range f.Made {
			compact, ok := m.Of(with)
			if !ok {
				if f.ID != "hmac-pkcs1" { // a form of RSA keys
					t.Errorf("%s cannot be made with an ES256 key", f.Slug(m))
				}
				continue
			}
			r, ok := Decode(compact)
			r.Public = with.Public
			if !ok || !f.Takes(r) {
				t.Errorf("%s is refused by the mistake that should take it", f.Slug(m))
			}
		}
	}
}

func newKey(t *testing.T) *mockidp.Key {
	t.Helper()
	key, err := mockidp.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
