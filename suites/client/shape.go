package client

import "github.com/emaconform/emaconform/suites/client/world"

// shape is a kind of honest world. A client that gets nothing done in a shape that it need not support is not judged in
// it.
type shape struct {
	name    string
	offers  string // what a client must do for it, continues "the client does not …"
	options world.Options
	needed  bool // every client must get along in it
}

// The shapes.
var (
	given    = &shape{name: "given", needed: true, offers: "connect with an ID token that it is given"}
	sessions = &shape{
		name:    "sessions",
		offers:  "speak revision 2025-11-25 (sessions)",
		options: world.Options{Revision: world.Revision2025},
	}
	stateless = &shape{
		name:    "stateless",
		offers:  "speak revision 2026-07-28 (stateless requests)",
		options: world.Options{Revision: world.Revision2026},
	}
	login = &shape{
		name:    "login",
		offers:  "log in at the IdP itself (context: idp_login, idp_redirect_uri)",
		options: world.Options{Identity: world.Login},
	}
	relogin = &shape{
		name:    "relogin",
		offers:  "connect with an ID token that it is given, when it may log in as well",
		options: world.Options{Identity: world.Relogin},
	}
	refresh = &shape{
		name:    "refresh",
		offers:  "connect with an ID token and a refresh token (context: idp_refresh_token)",
		options: world.Options{Identity: world.Refresh},
	}
	saml = &shape{
		name:    "saml",
		offers:  "start from a SAML assertion (context: idp_saml_assertion)",
		options: world.Options{Identity: world.SAML},
	}
	two = &shape{
		name:    "two",
		offers:  "use two MCP servers (context: second_server_url)",
		options: world.Options{TwoServers: true},
	}
	https = &shape{
		name:    "https",
		offers:  "trust the CA that it is told of (context: ca_file, environment: SSL_CERT_FILE, NODE_EXTRA_CA_CERTS)",
		options: world.Options{TLS: true},
	}
	confidential = &shape{
		name:    "confidential",
		offers:  "authenticate at the IdP (context: idp_client_secret)",
		options: world.Options{Confidential: true},
	}
	loginConfidential = &shape{
		name:    "login, confidential",
		offers:  "log in with a secret at the IdP",
		options: world.Options{Confidential: true, Identity: world.Login},
	}
	unregistered = &shape{
		name:    "unregistered",
		offers:  "register itself at the RAS (context: no client_id)",
		options: world.Options{Unregistered: true},
	}
	published = &shape{
		name:    "published",
		offers:  "use a client id that is the URL of a document (CIMD; context: client_id, and no client_secret)",
		options: world.Options{Published: DefaultClientID},
	}
	hosts = &shape{
		name:    "hosts",
		offers:  "find each party at a host of its own (127.0.0.2 and others)",
		options: world.Options{OtherHosts: true},
	}
	homely = &shape{
		name:    "home",
		offers:  "run with a home directory of its own (HOME, XDG_CONFIG_HOME and so on)",
		options: world.Options{OwnHome: true},
	}
	dpop = &shape{
		name:    "dpop",
		offers:  "bind its ID-JAG with DPoP (context: dpop)",
		options: world.Options{DPoP: true},
	}
)

// byEachRevision are the shapes of a scenario that each revision of MCP has another flow for, by what slugs end in.
var byEachRevision = []struct {
	slug string
	in   *shape
}{{"session", sessions}, {"stateless", stateless}}

// scene is what a client meets in one check: an honest world of a shape, or one in which one thing is wrong.
type scene struct {
	*shape
	meets   string             // a sentence
	hostile func(*world.World) // makes an honest world the one that is judged; nil: the honest world is judged
	moment  *moment            // from which on it can be judged
}

// honest is a scene in which nothing is wrong.
func (s *shape) honest(meets string) *scene { return &scene{shape: s, meets: meets} }

// but is a scene in which one thing is wrong.
func (s *shape) but(meets string, hostile func(*world.World)) *scene {
	return &scene{shape: s, meets: meets, hostile: hostile}
}
