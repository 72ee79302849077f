package keys

import (
	"crypto/rand"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// Where a target finds the IdP's keys by its metadata, these are as good a way in as the keys.

func metadataRequests(t *server.T) int { return requests(t, mockidp.EndpointDiscovery) }

// mustDiscover skips the check of a target that does not ask for the IdP's metadata when it fetches keys: it has been
// told where they are, or asked once, before anything was wrong with them.
func mustDiscover(t *server.T) {
	t.Control(t.Grant())
	discovers := server.Shared(t.World, "asks for the IdP's metadata", func() bool {
		metadata, keys := metadataRequests(t), fetches(t)
		if metadata == 0 {
			return false
		}
		eventually(t, "the IdP's keys", func() bool {
			mustRefuse(t, func() *server.Token { return unknown(t) })
			return fetches(t) > keys
		})
		return metadataRequests(t) > metadata
	})
	if !discovers {
		t.Skipf("the target does not ask for the IdP's metadata when it fetches keys: it knows where they are")
	}
}

var _ = check.For("RAS-JWKS-FAULTS", func() {
	server.It("metadata-of-another", "takes no keys by metadata that name another issuer", func(t *server.T) {
		mustDiscover(t)
		elsewhere := t.Canary + "/" + rand.Text() // where the canary publishes the attacker's key
		spoilMetadata(t, mockidp.Reply{Body: string(server.JSONOf(map[string]any{
			"issuer": elsewhere, "jwks_uri": elsewhere + "/jwks"}))})
		untilAsked(t, metadataRequests, func() *server.Token { return t.Grant(server.SignedBy(t.Attacker)) })
		recovers(t)
	}, check.By("RFC 8414 §3.3"), check.With(server.NeedsCanary), changesKeys(failing, "ID-JAGs by a stranger's "+
		"key while the IdP's metadata name another issuer, and where that one has published the key"))

	server.It("metadata-slow", "goes on serving others while the IdP's metadata do not come", func(t *server.T) {
		mustDiscover(t)
		spoilMetadata(t, mockidp.Reply{Delay: time.Hour})
		mustNotBlock(t, newKey(t), "metadata endpoint", metadataRequests)
		recovers(t)
	}, check.Slow(), check.Should(), check.InAllLanes(), changesKeys(failing,
		"ID-JAGs by a new key while the IdP's metadata endpoint does not answer, "+
			"and honest ones"))

	server.It("metadata-5-mb", "does not read metadata of 5 MB", func(t *server.T) {
		mustDiscover(t)
		elsewhere := t.Canary + "/" + rand.Text()
		spoilMetadata(t, mockidp.Reply{Repeat: 5 << 20, Body: string(server.JSONOf(map[string]any{
			"issuer": t.IdP.URL, "jwks_uri": elsewhere + "/jwks"}))})
		untilAsked(t, metadataRequests, func() *server.Token { return t.Grant(server.SignedBy(t.Attacker)) })
		recovers(t)
	}, check.Should(), check.With(server.NeedsCanary), changesKeys(failing, "ID-JAGs by a key to which metadata "+
		"of 5 MB lead, most of it blanks"))
})
