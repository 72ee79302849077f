package clients

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/target"
)

// describedClient is known by its metadata document alone (draft-ietf-oauth-client-id-metadata-document). Its id is the
// document's URL, and it authenticates by private_key_jwt with a key of the document.
type describedClient struct {
	target.Client
	canary  string // the id that its documents and their visitors go by
	members map[string]any
}

const documentPath = "client.json"

// newDescribed makes such a client. Nothing is published yet.
func newDescribed(t *server.T) *describedClient {
	c := &describedClient{canary: rand.Text(), Client: target.Client{Auth: target.PrivateKeyJWT, CIMD: true}}
	for _, known := range t.Config.Clients {
		if known.CIMD {
			c.Auth = known.Auth
		}
		if known.Auth == target.PrivateKeyJWT {
			c.Audience = known.Audience
		}
	}
	base := t.Documents + "/" + c.canary + "/"
	var err error
	if c.members, err = c.Describe(base+documentPath, base+"callback", server.GrantJWTBearer); err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	return c
}

// document is its metadata document, as it should be.
func (c *describedClient) document() map[string]any {
	d := maps.Clone(c.members)
	d["client_id"] = c.ID
	return d
}

// publish puts a document at this path below the client's host; reply says how it is served.
func (c *describedClient) publish(t *server.T, path string, document map[string]any, reply mockidp.Reply) {
	body, err := json.Marshal(document)
	if err == nil {
		reply.Body = string(body)
		err = t.World.Control.Publish(t, c.canary, path, reply)
	}
	if err != nil {
		t.Inconclusivef("our own error: cannot publish the client's metadata document: %v", err)
	}
}

// visits are the paths below the client's id that were fetched, without it.
func (c *describedClient) visits(t *server.T) (paths []string) {
	hits, err := t.World.Control.Hits(t, c.canary)
	if err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	for _, h := range hits {
		_, path, _ := strings.Cut(h.Path, "/"+c.canary+"/")
		paths = append(paths, path)
	}
	return paths
}

// mustBeTaken redeems an honest ID-JAG for a client with a good document: the control.
func mustBeTaken(t *server.T) {
	c := newDescribed(t)
	c.publish(t, documentPath, c.document(), mockidp.Reply{})
	t.Control(server.GrantFor(t, &c.Client), server.As(&c.Client))
	if !slices.Contains(c.visits(t), documentPath) {
		t.Inconclusivef("the client was granted although nobody fetched its metadata document")
	}
}

// documentAttacks are metadata documents that must not be used. Each publishes its own, or changes who asks.
var documentAttacks = []struct {
	slug, what string
	publish    func(t *server.T, c *describedClient)
	options    []check.Option
}{
	{"other-id", "a document whose client_id is another URL", func(t *server.T, c *describedClient) {
		other := c.document()
		other["client_id"] = t.Documents + "/" + rand.Text() + "/" + documentPath
		c.publish(t, documentPath, other, mockidp.Reply{})
	}, nil},
	{"no-id", "a document without client_id", func(t *server.T, c *describedClient) {
		anonymous := c.document()
		delete(anonymous, "client_id")
		c.publish(t, documentPath, anonymous, mockidp.Reply{})
	}, nil},
	{"redirect", "a document behind a redirect", func(t *server.T, c *describedClient) {
		c.publish(t, documentPath, nil, mockidp.Reply{Status: http.StatusFound,
			Header: map[string]string{"Location": strings.Replace(c.ID, documentPath, elsewhere, 1)}})
		c.publish(t, elsewhere, c.document(), mockidp.Reply{})
	}, nil},
	{"not-found", "a document that comes with HTTP 404", func(t *server.T, c *describedClient) {
		c.publish(t, documentPath, c.document(), mockidp.Reply{Status: http.StatusNotFound})
	}, nil},
	{"large", "a document of 5 MB", func(t *server.T, c *describedClient) {
		c.publish(t, documentPath, c.document(), mockidp.Reply{Repeat: 5 << 20})
	}, []check.Option{check.Should(), check.Intrusive()}},
	{"plain-http", "a document at a plain http URL that is not a loopback address", func(t *server.T, c *describedClient) {
		c.moveTo(t, "0.0.0.0")
		c.publish(t, documentPath, c.document(), mockidp.Reply{})
	}, nil},
	{"other-key", "a client assertion by a key that is not in the document", func(t *server.T, c *describedClient) {
		if c.Key == nil {
			t.Skipf("clients with a metadata document prove nothing here (clients[].auth: none)")
		}
		c.publish(t, documentPath, c.document(), mockidp.Reply{})
		c.Key = server.StrangersKey(t, &c.Client)
	}, nil},
}

// elsewhere is where a redirect leads.
const elsewhere = "elsewhere.json"

// moveTo changes the host in the client's id. 0.0.0.0 leads to this machine, and is no loopback address.
func (c *describedClient) moveTo(t *server.T, host string) {
	u, err := url.Parse(t.Canary)
	if err != nil || u.Scheme != "http" {
		t.Inconclusivef("our own error: the attacker's host is at %s", t.Canary)
	}
	u.Host = net.JoinHostPort(host, u.Port())
	c.ID = u.String() + "/" + c.canary + "/" + documentPath
}

var _ = check.For("RAS-CLIENT-CIMD", func() {
	cimd := check.With(server.NeedsCIMD)

	server.It("granted", "grants a client that is known by its metadata document alone", func(t *server.T) {
		t.Control(t.Grant())
		c := newDescribed(t)
		c.publish(t, documentPath, c.document(), mockidp.Reply{})
		Expect(t.Redeem(server.GrantFor(t, &c.Client), server.As(&c.Client))).To(server.BeGranted())
	}, cimd, check.Sends("An ID-JAG for a client whose id is the URL of its metadata document, after another as control"))

	for _, d := range documentAttacks {
		server.It(d.slug, "refuses "+d.what, func(t *server.T) {
			mustBeTaken(t)
			c := newDescribed(t)
			d.publish(t, c)
			server.ExpectRefused(t, t.Attack(server.GrantFor(t, &c.Client), server.As(&c.Client)),
				server.InvalidClient, server.InvalidRequest, server.InvalidGrant)
			if slices.Contains(c.visits(t), elsewhere) {
				t.Failf("the client was refused, but the redirect was followed: strangers choose where the server sends requests")
			}
		}, append(d.options, cimd, server.Refusal(server.InvalidClient, server.InvalidRequest, server.InvalidGrant),
			check.Sends("A client with "+d.what+", after one with a good document as control"))...)
	}
})
