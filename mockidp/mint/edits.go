package mint

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// TokenKind is a kind of token that the identity provider issues.
type TokenKind string

// Kinds of tokens.
const (
	TokenID     TokenKind = "id_token"
	TokenIDJAG  TokenKind = "id_jag"
	TokenAccess TokenKind = "access_token" // of custom authorization servers
)

// Edit changes tokens before they are signed: the next Count of them, or every one. A header that names another alg
// than the key's makes the issuing fail: package hostile makes such tokens.
type Edit struct {
	Token  TokenKind      `json:"token"`
	Client string         `json:"client,omitempty"` // client id; "" is any
	User   string         `json:"user,omitempty"`   // user id; "" is any
	Set    map[string]any `json:"set,omitempty"`    // claims
	Delete []string       `json:"delete,omitempty"` // claims
	Header map[string]any `json:"header,omitempty"` // header members; null takes one away
	Count  int            `json:"count,omitempty"`  // 0 is all until the edits are cleared
}

func (e *Edit) validate() error {
	switch {
	case !slices.Contains([]TokenKind{TokenID, TokenIDJAG, TokenAccess}, e.Token):
		return fmt.Errorf("token %q: expected %s, %s or %s", e.Token, TokenID, TokenIDJAG, TokenAccess)
	case e.Count < 0:
		return fmt.Errorf("count %d: expected 0 or more", e.Count)
	case e.Header["alg"] != nil:
		return fmt.Errorf("header: alg is the key's; mint such a token by hand")
	}
	return nil
}

// Edits are those in force, in the order in which they were made.
type Edits struct {
	mu   sync.Mutex
	list []Edit
}

// Add adds an edit; it is an error when the edit makes no sense.
func (e *Edits) Add(edit Edit) error {
	if err := edit.validate(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, edit)
	return nil
}

// Clear drops every edit.
func (e *Edits) Clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = nil
}

// All are those in force; one whose count is negative is used up.
func (e *Edits) All() []Edit {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// Apply changes a token of this kind, for a client and a user by their ids, and uses edits up that count.
func (e *Edits) Apply(kind TokenKind, t *Token, client, user string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = slices.DeleteFunc(e.list, func(x Edit) bool { return x.Count < 0 })
	for i := range e.list {
		x := &e.list[i]
		if x.Count < 0 || x.Token != kind || x.Client != "" && x.Client != client || x.User != "" && x.User != user {
			continue
		}
		x.Change(t)
		if x.Count == 1 {
			x.Count = -1 // used up
		} else if x.Count > 1 {
			x.Count--
		}
	}
}

// Change changes a token, whomever it is for.
func (e Edit) Change(t *Token) {
	maps.Copy(t.Claims, e.Set)
	for _, name := range e.Delete {
		delete(t.Claims, name)
	}
	for name, value := range e.Header {
		if value == nil {
			delete(t.Header, name)
		} else {
			t.Header[name] = value
		}
	}
}
