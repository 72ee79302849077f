package scenario

import "github.com/emaconform/emaconform/suites/client/world"

// Shape is a kind of honest world. A client that gets nothing done in a shape that it need not support is not judged in
// it.
type Shape struct {
	Name    string
	Offers  string // what a client must do for it, continues "the client does not …"
	Options world.Options
	Needed  bool // every client must get along in it
}

// What a client meets in the honest worlds of two shapes.
const (
	MeetsGiven     = "An honest world in which the client is given an ID token"
	MeetsPublished = "An honest world in which the client's id at the RAS is the URL of a document that it publishes"
)

// PublishedID is what the official conformance runner takes for the client id of a client that publishes it (CIMD).
const PublishedID = "https://conformance-test.local/client-metadata.json"

// The shapes.
var (
	Given    = &Shape{Name: "given", Needed: true, Offers: "connect with an ID token that it is given"}
	Sessions = &Shape{
		Name:    "sessions",
		Offers:  "speak revision 2025-11-25 (sessions)",
		Options: world.Options{Revision: world.Revision2025},
	}
	Stateless = &Shape{
		Name:    "stateless",
		Offers:  "speak revision 2026-07-28 (stateless requests)",
		Options: world.Options{Revision: world.Revision2026},
	}
	Login = &Shape{
		Name:    "login",
		Offers:  "log in at the IdP itself (context: idp_login, idp_redirect_uri)",
		Options: world.Options{Identity: world.Login},
	}
	Relogin = &Shape{
		Name:    "relogin",
		Offers:  "connect with an ID token that it is given, when it may log in as well",
		Options: world.Options{Identity: world.Relogin},
	}
	Refresh = &Shape{
		Name:    "refresh",
		Offers:  "connect with an ID token and a refresh token (context: idp_refresh_token)",
		Options: world.Options{Identity: world.Refresh},
	}
	SAML = &Shape{
		Name:    "saml",
		Offers:  "start from a SAML assertion (context: idp_saml_assertion)",
		Options: world.Options{Identity: world.SAML},
	}
	Two = &Shape{
		Name:    "two",
		Offers:  "use two MCP servers (context: second_server_url)",
		Options: world.Options{TwoServers: true},
	}
	HTTPS = &Shape{
		Name:    "https",
		Offers:  "trust the CA that it is told of (context: ca_file, environment: SSL_CERT_FILE, NODE_EXTRA_CA_CERTS)",
		Options: world.Options{TLS: true},
	}
	Confidential = &Shape{
		Name:    "confidential",
		Offers:  "authenticate at the IdP (context: idp_client_secret)",
		Options: world.Options{Confidential: true},
	}
	LoginConfidential = &Shape{
		Name:    "login, confidential",
		Offers:  "log in with a secret at the IdP",
		Options: world.Options{Confidential: true, Identity: world.Login},
	}
	Unregistered = &Shape{
		Name:    "unregistered",
		Offers:  "register itself at the RAS (context: no client_id)",
		Options: world.Options{Unregistered: true},
	}
	Published = &Shape{
		Name:    "published",
		Offers:  "use a client id that is the URL of a document (CIMD; context: client_id, and no client_secret)",
		Options: world.Options{Published: PublishedID},
	}
	Hosts = &Shape{
		Name:    "hosts",
		Offers:  "find each party at a host of its own (127.0.0.2 and others)",
		Options: world.Options{OtherHosts: true},
	}
	Homely = &Shape{
		Name:    "home",
		Offers:  "run with a home directory of its own (HOME, XDG_CONFIG_HOME and so on)",
		Options: world.Options{OwnHome: true},
	}
	DPoP = &Shape{
		Name:    "dpop",
		Offers:  "bind its ID-JAG with DPoP (context: dpop)",
		Options: world.Options{DPoP: true},
	}
)

// ByEachRevision are the shapes of a scenario that each revision of MCP has another flow for, by what slugs end in.
var ByEachRevision = []struct {
	Slug string
	In   *Shape
}{{"session", Sessions}, {"stateless", Stateless}}

// Scene is what a client meets in one check: an honest world of a shape, or one in which one thing is wrong.
type Scene struct {
	*Shape
	Meets   string             // a sentence
	Hostile func(*world.World) // makes an honest world the one that is judged; nil: the honest world is judged
	Moment  *Moment            // from which on it can be judged
	Apart   bool               // tells nothing where parties share an origin
}

// OfHosts is a scene that is about hosts.
func (in *Scene) OfHosts() *Scene {
	in.Apart = true
	return in
}

// Honest is a scene in which nothing is wrong.
func (s *Shape) Honest(meets string) *Scene { return &Scene{Shape: s, Meets: meets} }

// But is a scene in which one thing is wrong.
func (s *Shape) But(meets string, hostile func(*world.World)) *Scene {
	return &Scene{Shape: s, Meets: meets, Hostile: hostile}
}
