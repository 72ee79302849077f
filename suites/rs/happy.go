package rs

import (
	"encoding/json"
	"slices"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

var _ = check.For("RS-HAPPY", func() {
	server.It("session", "keeps a session: initialize, tools/list", func(t *server.T) {
		token := t.AccessToken()
		s := t.Open(token)
		expectMember(t, s.Opening, "initialize", "protocolVersion")
		expectTools(t, t.Send(s.Request(token, "tools/list", nil), reports.Attack, ""))
	}, check.Sends("initialize, notifications/initialized and tools/list of revision 2025-11-25"))

	server.It("stateless", "answers stateless requests: server/discover, tools/list", func(t *server.T) {
		if !t.Revisions().Stateless {
			t.Skipf("the server does not answer revision %s", server.Revision2026)
		}
		token := t.AccessToken()
		discovered := t.Send(t.Stateless(t.Config.URL, token, "server/discover", nil), reports.Attack, "")
		if versions := server.Texts(server.Result(discovered)["supportedVersions"]); !slices.Contains(versions,
			server.Revision2026) {
			t.Failf("expected supportedVersions to name %s in the answer to server/discover, but saw %q",
				server.Revision2026, versions)
		}
		expectTools(t, t.Send(t.Stateless(t.Config.URL, token, "tools/list", nil), reports.Attack, ""))
	}, check.Sends("server/discover and tools/list of revision 2026-07-28"))

	server.It("call", "lets a tool be called with a token that has its scope", server.InEach(func(t *server.T) {
		Expect(t.Send(t.Call(t.AccessToken(), t.Config.ScopedTool.Name, nil), reports.Attack, "")).To(server.BeLetIn())
	}), check.With(server.NeedsScopedTool), check.Sends("A tools/call for the scoped tool, with a token that has all "+
		"scopes"))

	server.It("second-server", "lets the second MCP server take tokens that are for it", server.InEach(func(t *server.T) {
		token := t.AccessToken(server.Set("resource", t.Config.SecondServer))
		Expect(t.Send(t.KnockAt(t.Config.SecondServer, token), reports.Attack, "")).To(server.BeLetIn())
	}), check.With(server.NeedsSecondServer), check.Sends("An ID-JAG for the second MCP server, then its access token "+
		"to that server"))
})

func expectTools(t *server.T, a *wire.Answer) {
	Expect(a).To(server.BeLetIn())
	expectMember(t, a, "tools/list", "tools")
}

func expectMember(t *server.T, a *wire.Answer, method, name string) {
	if _, ok := server.Result(a)[name]; !ok {
		t.Failf("expected a JSON-RPC result with %s in the answer to %s, but the target answered: %s",
			name, method, a.Summary())
	}
}

var _ = check.For("RS-EXTENSION", func() {
	server.It("session", "names the extension as an object in the answer to initialize", func(t *server.T) {
		judgeExtension(t, t.Open(t.AccessToken()).Opening)
	}, check.Sends("An initialize of revision 2025-11-25"))

	server.It("stateless", "names the extension as an object in the answer to server/discover", func(t *server.T) {
		if !t.Revisions().Stateless {
			t.Skipf("the server does not answer revision %s", server.Revision2026)
		}
		judgeExtension(t, t.UseWith(t.Stateless(t.Config.URL, t.AccessToken(), "server/discover", nil)))
	}, check.Sends("A server/discover of revision 2026-07-28"))

	server.It("undeclared", "serves a client that does not name the extension, or refuses it "+
		"with an error", server.InEach(func(t *server.T) {
		token := t.AccessToken()
		t.Use(token)
		a := t.Send(undeclared(t, t.Knock(token)), reports.Attack, "the extension is not named: served, or refused")
		if a.Err != nil || a.Status >= 500 {
			t.Failf("expected an answer or a refusal that says why, for the client does not name the extension, but saw: %s",
				a.Summary())
		}
	}), check.Must(), check.By("MCP 2026-07-28 §Extension Negotiation"),
		check.Sends("A request of a client that names the extension as control, then of one that does not"))
})

// undeclared is a request of a client that does not name the extension.
func undeclared(t *server.T, r *wire.Request) *wire.Request {
	var message map[string]any
	if err := json.Unmarshal(r.Body, &message); err != nil {
		t.Inconclusivef("our own error: %v", err)
	}
	params, _ := message["params"].(map[string]any)
	delete(params, "capabilities")
	if r.Header.Get("Mcp-Protocol-Version") == "" { // initialize, which has to have some
		params["capabilities"] = map[string]any{}
	}
	if meta, ok := params["_meta"].(map[string]any); ok {
		meta["io.modelcontextprotocol/clientCapabilities"] = map[string]any{}
	}
	r.Body, _ = json.Marshal(message) // was JSON before
	return r
}

// judgeExtension judges what a server says of the extension, if it does: extensions is a map from identifiers to
// objects (MCP, extension negotiation).
func judgeExtension(t *server.T, a *wire.Answer) {
	capabilities, _ := server.Result(a)["capabilities"].(map[string]any)
	extensions, present := capabilities["extensions"]
	if !present {
		t.Skipf("the server names no extensions")
	}
	byID, ok := extensions.(map[string]any)
	if !ok {
		t.Failf("expected capabilities.extensions to be an object, but it is a %T", extensions)
	}
	settings, named := byID[server.Extension]
	if !named {
		t.Skipf("the server does not name %s", server.Extension)
	}
	if _, ok := settings.(map[string]any); !ok {
		t.Failf(
			"expected the settings of %s to be an object, {} when there are none, but they are a %T",
			server.Extension,
			settings,
		)
	}
}
