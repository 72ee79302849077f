// Package audit is the log of what an identity provider decided: one entry for each decision, kept in a ring, written
// as JSON lines, and shown in the shape of Okta's System Log. No entry holds a token, a code or a secret.
package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Types of entries, by their names in Okta's System Log (https://developer.okta.com/docs/reference/api/event-types/).
const (
	GrantIDJAG        = "app.oauth2.token.grant.id_jag"
	GrantFailed       = "app.oauth2.token.grant" // a failure has no suffix
	GrantIDToken      = "app.oauth2.token.grant.id_token"
	GrantRefreshToken = "app.oauth2.token.grant.refresh_token"
	Authorize         = "app.oauth2.authorize.code"
	ReuseDetected     = "app.oauth2.token.detect_reuse"
	Revoke            = "app.oauth2.token.revoke"
	RevokeImplicit    = "app.oauth2.token.revoke.implicit.user"
	KeyRollover       = "app.oauth2.key.rollover"
	SignOn            = "user.authentication.sso"
	SessionStart      = "user.session.start"
	SessionEnd        = "user.session.end"
	SessionClear      = "user.session.clear"
	UserLifecycle     = "user.lifecycle." // followed by create, update, delete, activate, suspend or deactivate
	ConfigChanged     = "system.configuration.update"
)

// Outcome is how a decision ended.
type Outcome string

// Outcomes.
const (
	Success Outcome = "SUCCESS"
	Failure Outcome = "FAILURE"
)

// Entry is one decision.
type Entry struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`
	Type     string    `json:"type"`
	Request  string    `json:"request,omitempty"` // X-Okta-Request-Id of the response
	Outcome  Outcome   `json:"outcome"`
	Error    string    `json:"error,omitempty"`  // OAuth error code
	Reason   string    `json:"reason,omitempty"` // internal id of the refusal
	Detail   string    `json:"detail,omitempty"`
	Rule     string    `json:"rule,omitempty"` // the policy or the step that decided
	User     string    `json:"user,omitempty"` // id
	Login    string    `json:"login,omitempty"`
	Client   string    `json:"client,omitempty"`
	Audience string    `json:"audience,omitempty"`
	Resource []string  `json:"resource,omitempty"`
	Asked    []string  `json:"scopes_asked,omitempty"`
	Granted  []string  `json:"scopes_granted,omitempty"`
	JTI      string    `json:"jti,omitempty"` // of the token that was issued
	Address  string    `json:"address,omitempty"`
	Agent    string    `json:"user_agent,omitempty"`
}

// maxBytes bounds what a log keeps in all, maxText a text in an entry, maxList a list. What is longer is cut.
const (
	maxBytes = 8 << 20
	maxText  = 1 << 10
	maxList  = 50
)

// Log keeps the last entries.
type Log struct {
	mu      sync.Mutex
	kept    []Entry // the oldest first
	bytes   int
	added   uint64 // entries so far
	size    int
	lines   *json.Encoder
	changed chan struct{} // closed at the next entry
}

// New makes a log of the last size entries, and of no more than 8 MiB of them, that also writes each one as a JSON line
// to w, nil for none.
func New(size int, w io.Writer) *Log {
	l := &Log{size: size, changed: make(chan struct{})}
	if w != nil {
		l.lines = json.NewEncoder(w)
	}
	return l
}

// Add appends an entry. It returns the error of the writer, which does not keep the entry out of the log.
func (l *Log) Add(e Entry) error {
	e.shorten()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.kept) > 0 && (len(l.kept) >= l.size || l.bytes+e.bytes() > maxBytes) {
		l.bytes -= l.kept[0].bytes()
		l.kept[0] = Entry{} // so that nothing of it is held
		l.kept = l.kept[1:]
	}
	l.kept, l.bytes = append(l.kept, e), l.bytes+e.bytes()
	l.added++
	close(l.changed)
	l.changed = make(chan struct{})
	if l.lines == nil {
		return nil
	}
	return l.lines.Encode(e)
}

// shorten cuts what clients made too long.
func (e *Entry) shorten() {
	for _, s := range []*string{&e.Detail, &e.Audience, &e.Agent, &e.Client, &e.Login, &e.Error, &e.Rule} {
		*s = short(*s)
	}
	for _, list := range []*[]string{&e.Resource, &e.Asked, &e.Granted} {
		kept := make([]string, 0, min(len(*list), maxList))
		for _, s := range (*list)[:min(len(*list), maxList)] {
			kept = append(kept, short(s))
		}
		if *list != nil {
			*list = kept
		}
	}
}

func short(s string) string {
	if len(s) > maxText {
		return fmt.Sprintf("%s … [%d bytes left out]", s[:maxText], len(s)-maxText)
	}
	return strings.Clone(s) // a part of a form would hold the whole of it
}

// bytes is about how many bytes an entry holds.
func (e *Entry) bytes() int {
	n := 512 + len(e.Detail) + len(e.Audience) + len(e.Agent) + len(e.Client) + len(e.Login)
	for _, list := range [][]string{e.Resource, e.Asked, e.Granted} {
		for _, s := range list {
			n += 16 + len(s)
		}
	}
	return n
}

// Entries are those kept, the oldest first.
func (l *Log) Entries() []Entry {
	entries, _ := l.After(0)
	return entries
}

// After are the entries kept of those after the first n, and how many there have been in all: the n of the next call.
func (l *Log) After(n uint64) (entries []Entry, total uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := min(uint64(len(l.kept)), l.added-min(n, l.added))
	return slices.Clone(l.kept[uint64(len(l.kept))-fresh:]), l.added
}

// Dropped is how many entries were not kept.
func (l *Log) Dropped() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.added - uint64(len(l.kept))
}

// Changed is closed when another entry has been added after the call.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Clear forgets every entry.
func (l *Log) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept, l.bytes = nil, 0
}
