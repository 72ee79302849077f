package idp_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/audit"
	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/harness"
)

func published(t *testing.T, s *mockidp.Server) []string {
	t.Helper()
	var set jose.JSONWebKeySet
	harness.Must(t, json.Unmarshal(harness.Get(t, nil, s.JWKSURI()).Body, &set))
	var kids []string
	for _, k := range set.Keys {
		kids = append(kids, k.KeyID)
	}
	return kids
}

// With NextKey a RAS that has cached the JWKS knows the key that signs after a rotation, each time.
func TestTheNextKeyIsPublishedAhead(t *testing.T) {
	keys, err := mockidp.NewKeySet(jose.ES256)
	harness.Must(t, err)
	s := harness.Serve(t, mockidp.ServerOptions{Keys: keys, NextKey: true})
	deadline := time.Now().Add(time.Minute)
	for s.NextKeyID() == "" { // it is made after the first answer
		if time.Now().After(deadline) {
			t.Fatal("no next key within a minute")
		}
		time.Sleep(time.Millisecond)
	}
	for range 3 {
		cached := published(t, s)
		next := s.NextKeyID()
		if !slices.Contains(cached, next) {
			t.Fatal("the next key is not in the JWKS")
		}
		key, err := s.RotateKeys(false)
		harness.Must(t, err)
		if key.KeyID != next || s.Issuer().Keys.Signing().KeyID != next {
			t.Error("what signs is not the key that was published ahead")
		}
		if s.NextKeyID() == next || !slices.Contains(published(t, s), s.NextKeyID()) {
			t.Error("after the rotation no next key is published")
		}
	}
}

func TestWithoutNextKeyNothingIsPublishedAhead(t *testing.T) {
	idp := mockidp.New(t)
	before := published(t, idp.Server)
	key, err := idp.RotateKeys(false)
	harness.Must(t, err)
	if len(before) != 1 || slices.Contains(before, key.KeyID) || idp.NextKeyID() != "" {
		t.Errorf("%d keys before the rotation", len(before))
	}
}

// A change of who may do what is in the audit log, an entry for each object.
func TestChangesOfTheDirectoryAreAudited(t *testing.T) {
	idp := mockidp.New(t)
	idp.Must(idp.Update(func(d *directory.Directory) error {
		d.Users[0].Groups = []string{"Contractors"}
		d.Connections[0].Scopes = []string{"notes.read"}
		return nil
	}))
	var said []string
	for _, e := range idp.Audit().Entries() {
		if e.Type == audit.ConfigChanged && e.Outcome == audit.Success {
			said = append(said, e.Detail)
		}
	}
	if want := []string{"user " + harness.Alice + ": changed", "connection " + harness.Agent +
		"~notes: changed"}; !slices.Equal(said, want) {
		t.Errorf("the audit log says %q, expected %q", said, want)
	}
}
