package server

import "testing"

// An attack is worth nothing when its value comes out the same as the honest one.
func TestVariantsDiffer(t *testing.T) {
	for _, honest := range []string{"https://as.example/", "https://AS.EXAMPLE", "http://127.0.0.1:8080/oauth"} {
		for name, variant := range map[string]string{"case": OtherCase(honest), "slash": OtherSlash(honest)} {
			if variant == honest {
				t.Errorf("%s of %s is the same", name, honest)
			}
		}
		if twice := OtherSlash(OtherSlash(honest)); twice != honest {
			t.Errorf("the slash of %s does not come back: %s", honest, twice)
		}
	}
}
