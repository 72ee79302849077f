package signin

import "testing"

func TestSameRedirect(t *testing.T) {
	const registered = "http://127.0.0.1:33418/callback"
	for sent, want := range map[string]bool{
		registered:                         true,
		"http://127.0.0.1:1234/callback":   true, // RFC 8252 7.3
		"http://127.0.0.1/callback":        true,
		"http://127.0.0.1:33418/callback/": false,
		"http://127.0.0.1:33418/other":     false,
		"https://127.0.0.1:33418/callback": false,
		"http://127.0.0.2:33418/callback":  false,
		"http://localhost:33418/callback":  false,
		"http://evil.example/callback":     false,
		"":                                 false,
	} {
		if sameRedirect(sent, registered) != want {
			t.Errorf("%q counts as %s: %v, want %v", sent, registered, !want, want)
		}
	}
	if sameRedirect("app:/a", "app:/b") || !sameRedirect("app:/a", "app:/a") {
		t.Error("other schemes are compared otherwise than exactly")
	}
}
