package server

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/target"
)

// What is made up has the form of what is true: nothing in it says that it is made up.
func TestLike(t *testing.T) {
	t.Parallel()
	for _, honest := range []string{"0oa1AcmeAgent-at_notes", "alice@acme.example", "00000000-1111"} {
		made := Like(honest)
		if made == honest || len(made) != len(honest) {
			t.Errorf("%s like %s", made, honest)
		}
		for i, r := range honest {
			other := rune(made[i])
			if unicode.IsUpper(r) != unicode.IsUpper(other) || unicode.IsDigit(r) != unicode.IsDigit(other) ||
				!unicode.IsLetter(r) && !unicode.IsDigit(r) && r != other {
				t.Errorf("%s like %s", made, honest)
			}
		}
	}
	for _, honest := range []string{"https://client.example/metadata.json", "x", ""} {
		if made := Like(honest); made == honest || len(made) < 16 {
			t.Errorf("%q like %q", made, honest)
		}
	}
}

// A disguise is drawn by the seed of the run, so that a report can be walked through again.
func TestDisguisesAreDrawnBySeed(t *testing.T) {
	t.Parallel()
	agents := func(seed uint64) (all string) {
		running := check.New(t.Context(), &check.Check{ID: "RS-TOKEN-AUD/other-clients"}, nil, nil)
		w := &T{T: running, World: &World{Seed: seed, Config: &target.Config{UserAgent: "Suite/1"}}}
		for _, d := range w.Disguises(4) {
			all += d.Agent + "\n"
			r := d.Calls(w.Initialize("http://127.0.0.1/mcp", "t"))
			var sent struct {
				Params struct{ ClientInfo struct{ Name string } }
			}
			if err := json.Unmarshal(r.Body, &sent); err != nil {
				t.Fatal(err)
			}
			if name := sent.Params.ClientInfo.Name; name == "Suite" || !strings.HasPrefix(d.Agent, name) ||
				r.Header.Get("User-Agent") != d.Agent {
				t.Errorf("it calls itself %s and %s", name, r.Header.Get("User-Agent"))
			}
		}
		return all
	}
	drawn := map[string]bool{}
	for seed := range uint64(20) {
		if first, again := agents(seed), agents(seed); first != again {
			t.Error("drawn anew")
		}
		drawn[agents(seed)] = true
	}
	if len(drawn) < 5 {
		t.Errorf("20 seeds draw %d ways", len(drawn))
	}
}
