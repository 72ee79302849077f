package server

import "github.com/emaconform/emaconform/suites/wire"

// ExpectNoHit fails when the target asked the attacker's host for anything below this id (RFC 8725 3.10).
func ExpectNoHit(t *T, id string) {
	hits, err := t.World.Control.Hits(t, id)
	MustControl(t, err)
	if len(hits) > 0 {
		t.Failf("the target sent %s %s to a host that it has no reason to trust: whoever sends a token makes it fetch any "+
			"URL, inside its network as well (RFC 8725 3.10)", hits[0].Method, wire.Printable(hits[0].Path, 120))
	}
}

// MustControl ends the check when our own identity provider does not do as it is told.
func MustControl(t *T, err error) {
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
}
