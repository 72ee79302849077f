package use

import (
	"github.com/emaconform/emaconform/suites/check" // the words that scenarios are declared in
	. "github.com/emaconform/emaconform/suites/client/scenario"
	"github.com/emaconform/emaconform/suites/client/world"
)

var _ = check.For("CL-NO-CONFUSION", func() {
	It("own-tokens", "gets an ID-JAG and a token for each of two servers, and keeps them apart",
		Two.Honest("An honest world with two MCP servers, each with a RAS of its own").From(Challenged),
		func(t *T) {
			if len(t.At(t.World.OtherMCP.Party)) == 0 {
				t.NotOffered()
			}
			t.MustKeep("", world.AccessToken, world.IDJAG)
			t.MustSucceed("each server's metadata tells where to get a token for it")
		})
	It("one-ras", "gets a token for each of two servers behind one RAS",
		Two.But("Two MCP servers with one RAS: its tokens are good for one of them each",
			func(w *world.World) {
				w.OtherMCP.RAS = w.RAS
				w.OtherMCP.Metadata["authorization_servers"] = []string{w.RAS.Issuer}
			}).From(Challenged),
		func(t *T) {
			t.MustKeep(": a token belongs to a resource, not to an authorization server (RFC 8707)", world.AccessToken)
			t.MustSucceed("each server's metadata tells where to get a token for it")
		})
	It("other-metadata", "does not fetch a token for another server that the metadata names",
		Two.But("Metadata of the first server that is a copy of the second's: its resource, its RAS",
			func(w *world.World) {
				w.MCP.Publish(world.MetadataPath, w.OtherMCP.Metadata)
			}).From(ReadResource),
		func(t *T) {
			t.MustKeep("", world.AccessToken)
			for _, s := range t.Requests {
				if t.World.MCP.Served(s) {
					t.Failf("expected the client not to connect to a server whose metadata is another's")
				}
			}
			if t.TookBefore(t.World.OtherMCP) {
				t.Failf(
					"expected the client to refuse the first server's metadata, but it fetched an ID-JAG for the second server " +
						"before it ever called that one",
				)
			}
		})
})
