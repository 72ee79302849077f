package audit

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event is an Entry in the shape of Okta's System Log API
// (https://developer.okta.com/docs/api/openapi/okta-management/, GET /api/v1/logs). Members that Okta has and that a
// mock knows nothing of are left out.
type Event struct {
	UUID           string         `json:"uuid"`
	Published      string         `json:"published"`
	EventType      string         `json:"eventType"`
	Version        string         `json:"version"`
	Severity       string         `json:"severity"`
	DisplayMessage string         `json:"displayMessage"`
	Actor          Party          `json:"actor"`
	Client         map[string]any `json:"client"`
	Outcome        EventOutcome   `json:"outcome"`
	Target         []Party        `json:"target"`
	Transaction    map[string]any `json:"transaction"`
	DebugContext   map[string]any `json:"debugContext"`
}

// EventOutcome is the outcome of an Event; Reason is an internal id.
type EventOutcome struct {
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
}

// Party is the actor or a target of an Event.
type Party struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	AlternateID string `json:"alternateId,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// Event is the entry in the System Log's shape. In a token grant the client is the actor; user and audience are
// targets.
func (e Entry) Event() Event {
	user := Party{ID: e.User, Type: "User", AlternateID: e.Login}
	client := Party{ID: e.Client, Type: "PublicClientApp"}
	out := Event{
		UUID: e.ID, Published: e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), EventType: e.Type, Version: "0",
		Severity:       "INFO",
		DisplayMessage: e.Words(), Actor: client, Outcome: EventOutcome{string(e.Outcome), e.Reason}, Target: []Party{},
		Client:      map[string]any{"ipAddress": e.Address, "userAgent": map[string]any{"rawUserAgent": e.Agent}},
		Transaction: map[string]any{"type": "WEB", "id": e.Request, "detail": map[string]any{}},
	}
	if e.Outcome == Failure {
		out.Severity = "WARN"
	}
	if e.Client == "" {
		out.Actor = user
	} else if e.User != "" {
		out.Target = append(out.Target, user)
	}
	if e.Audience != "" {
		out.Target = append(out.Target, Party{ID: e.Audience, Type: "AuthorizationServer", AlternateID: e.Audience})
	}
	debug := map[string]any{"requestId": e.Request}
	for name, value := range map[string]string{
		"rule": e.Rule, "error": e.Error, "detail": e.Detail, "jti": e.JTI, "audience": e.Audience,
		"resource": strings.Join(e.Resource, ","), "requestedScopes": strings.Join(e.Asked, ","),
		"grantedScopes": strings.Join(e.Granted, ","),
	} {
		if value != "" {
			debug[name] = value
		}
	}
	out.DebugContext = map[string]any{"debugData": debug}
	return out
}

var words = map[string]string{
	GrantIDJAG: "ID-JAG granted", GrantFailed: "Token refused", GrantIDToken: "ID token",
	GrantRefreshToken: "Refresh token",
	Authorize:         "Authorization", SignOn: "Single sign-on", ReuseDetected: "Refresh token reused",
	Revoke:         "Token revoked",
	RevokeImplicit: "Tokens revoked", KeyRollover: "Key rotation", SessionStart: "Sign-in", SessionEnd: "Sign-out",
	SessionClear: "Sessions ended", ConfigChanged: "Configuration",
}

// Words says for people what the entry is about.
func (e Entry) Words() string {
	if life, isLife := strings.CutPrefix(e.Type, UserLifecycle); isLife {
		return "User: " + life
	}
	said := words[e.Type]
	if said == "" {
		said = e.Type
	}
	if e.Outcome == Failure && e.Type != GrantFailed {
		said += " refused"
	}
	return said
}

// Query selects events.
type Query struct {
	Since, Until time.Time
	Types        []string
	Outcome      string
	Text         string // q: a word that stands anywhere in the entry
	Limit        int
	Descending   bool
}

var filterTerm = regexp.MustCompile(`^\s*(eventType|outcome\.result)\s+eq\s+"([^"]*)"\s*$`)

// ParseQuery reads the parameters of GET /api/v1/logs: since, until, filter (terms of eventType and outcome.result with
// eq, joined by "or" or "and"), q, limit and sortOrder.
func ParseQuery(v url.Values) (Query, error) {
	q := Query{Limit: 100, Descending: v.Get("sortOrder") == "DESCENDING", Text: v.Get("q")}
	for name, into := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if s := v.Get(name); s != "" {
			t, err := time.Parse(time.RFC3339, s)
			if err != nil {
				return q, fmt.Errorf("%s: expected a time such as 2026-01-31T12:00:00Z", name)
			}
			*into = t
		}
	}
	if s := v.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 1000 {
			return q, fmt.Errorf("limit: expected 1 to 1000")
		}
		q.Limit = n
	}
	if f := v.Get("filter"); f != "" {
		for _, term := range regexp.MustCompile(`\s+(?:or|and)\s+`).Split(f, -1) {
			m := filterTerm.FindStringSubmatch(term)
			switch {
			case m == nil:
				return q, fmt.Errorf(`filter: expected terms such as eventType eq "%s", joined by or`, GrantIDJAG)
			case m[1] == "eventType":
				q.Types = append(q.Types, m[2])
			default:
				q.Outcome = m[2]
			}
		}
	}
	return q, nil
}

// Find returns the events of the log that the query selects.
func (l *Log) Find(q Query) []Event {
	entries := l.Entries()
	if q.Descending {
		slices.Reverse(entries)
	}
	out := []Event{}
	for _, e := range entries {
		if len(out) < q.Limit && q.selects(e) {
			out = append(out, e.Event())
		}
	}
	return out
}

func (q Query) selects(e Entry) bool {
	return (q.Since.IsZero() || !e.Time.Before(q.Since)) && (q.Until.IsZero() || e.Time.Before(q.Until)) &&
		(len(q.Types) == 0 || slices.Contains(q.Types, e.Type)) && (q.Outcome == "" || q.Outcome == string(e.Outcome)) &&
		(q.Text == "" || strings.Contains(fmt.Sprintf("%+v", e), q.Text))
}
