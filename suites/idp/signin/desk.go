package signin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/emaconform/emaconform/reports"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/wire"
)

// soon is when an ID token is too near to its end to be relied upon: one that expires on its way turns attacks into
// passes.
const soon = time.Minute

// Desk has everybody's tokens, and obtains those that are missing. It is safe for concurrent use.
type Desk struct {
	Config    *config.Config
	Endpoints Endpoints
	Wire      *wire.Client
	Skew      time.Duration // how far the provider's clock is ahead of ours

	mu       sync.Mutex
	entries  map[key]*entry
	sent     map[string]int     // passwords that came to nothing, by login
	refused  map[string]error   // logins whose password is not to be tried again
	sessions map[string]session // by login
}

type key struct{ Login, Client string }

type entry struct {
	mu     sync.Mutex
	tokens *Tokens
}

// visit is one sign-in under way, with what keeps its exchanges.
type visit struct {
	ctx   context.Context
	rec   *wire.Recorder
	again bool         // go on with the session of an earlier sign-in, where there is one
	part  reports.Part // what its pages are in the record; "" is setup
}

func (d *Desk) now() time.Time { return time.Now().Add(d.Skew) }

func (d *Desk) entry(a Ask) *entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entries == nil {
		d.entries = map[key]*entry{}
	}
	k := key{a.User.Login, a.Client.ID}
	if d.entries[k] == nil {
		d.entries[k] = &entry{}
	}
	return d.entries[k]
}

// Tokens are those of a user at a client: the ones that are there, refreshed when the ID token is about to end, or new
// ones. Who has signed in to another client already is not asked for the password again, where the identity provider
// does not ask.
func (d *Desk) Tokens(ctx context.Context, rec *wire.Recorder, a Ask) (Tokens, error) {
	e := d.entry(a)
	e.mu.Lock()
	defer e.mu.Unlock()
	v := &visit{ctx: ctx, rec: rec, again: true}
	if e.tokens == nil {
		t, err := d.signIn(v, a)
		if err != nil {
			return t, err
		}
		e.tokens = &t
	}
	ends, dated := e.tokens.expires()
	if e.tokens.IDToken != "" && (!dated || ends.Sub(d.now()) > soon) {
		return *e.tokens, nil
	}
	t, err := d.renew(v, a, *e.tokens)
	if err != nil {
		return *e.tokens, err
	}
	e.tokens = &t
	return t, nil
}

// renew takes a new ID token for the refresh token, or signs in once more.
func (d *Desk) renew(v *visit, a Ask, old Tokens) (Tokens, error) {
	problem := errors.New("there is no refresh token")
	if old.RefreshToken != "" {
		t, err := d.Refresh(v.ctx, v.rec, a.Client, old.RefreshToken)
		if err == nil && t.IDToken != "" {
			return t, nil
		}
		if problem = err; err == nil {
			problem = errors.New("the refresh token yields no id_token")
		}
	}
	t, err := d.signIn(v, a)
	if errors.Is(err, ErrOnce) {
		return old, fmt.Errorf("the ID token of %s at client %s has expired or ends within a minute, and %w: sign in "+
			"again, with scope %q",
			a.User.Login, a.Client.ID, problem, Scope)
	}
	return t, err
}

// Refresh uses a refresh token (RFC 6749 section 6). Where none comes back, the old one stays in use.
func (d *Desk) Refresh(ctx context.Context, rec *wire.Recorder, k *config.Client, token string) (Tokens, error) {
	t, err := d.redeem(&visit{ctx: ctx, rec: rec}, k, field("grant_type", "refresh_token"), field("refresh_token", token))
	if err == nil && t.RefreshToken == "" {
		t.RefreshToken = token
	}
	return t, err
}

// Fresh signs in anew, with a session of its own, beside the tokens that are there. The error is ErrOnce where that
// takes a person.
func (d *Desk) Fresh(ctx context.Context, rec *wire.Recorder, a Ask) (Tokens, error) {
	if !Repeatable(a.User) {
		return Tokens{}, ErrOnce
	}
	return d.signIn(&visit{ctx: ctx, rec: rec}, a)
}

// Repeatable reports whether the suite can sign the user in as often as it likes.
func Repeatable(u *config.User) bool { return u.SignIn.Command != "" || u.SignIn.Form != nil }

// errDisturbed means that there was no answer to go by: a connection that was reset, a gateway's answer.
var errDisturbed = errors.New("no answer to go by")

// errThrottled means that the identity provider asks for more patience than anybody has.
var errThrottled = advise(errors.New("it answers 429 Too Many Requests and asks for a longer wait than a run takes"),
	"raise its rate limit for the test clients, or try again later with --workers 1")

// tries is how often a sign-in is begun anew when it was disturbed on its way.
const tries = 3

// signIn signs in, and once more when that was disturbed: a code that got lost is not sent again.
func (d *Desk) signIn(v *visit, a Ask) (t Tokens, err error) {
	for range tries {
		if t, err = d.signInOnce(v, a); !errors.Is(err, errDisturbed) {
			break
		}
	}
	return t, err
}

func (d *Desk) signInOnce(v *visit, a Ask) (Tokens, error) {
	ctx, cancel := context.WithTimeoutCause(v.ctx, d.Config.Timing.SignIn,
		fmt.Errorf("the sign-in of %s took longer than %s (timing.sign_in)",
			a.User.Login, d.Config.Timing.SignIn))
	defer cancel()
	v = &visit{ctx, v.rec, v.again, v.part}
	switch way := &a.User.SignIn; {
	case way.Command != "":
		return d.command(v, a)
	case way.Form != nil:
		return d.form(v, a)
	case len(way.Tokens) > 0:
		return d.file(a)
	default:
		return Tokens{}, fmt.Errorf("%s has not signed in to client %s yet: %w", a.User.Login, a.Client.ID, ErrOnce)
	}
}

// file reads tokens that were obtained before.
func (d *Desk) file(a Ask) (Tokens, error) {
	path, known := a.User.SignIn.Tokens[a.Client.ID]
	if !known && a.Client.ID == d.Config.Clients[0].ID {
		path = a.User.SignIn.Tokens[""]
	}
	if path == "" {
		return Tokens{}, fmt.Errorf("sign_in.tokens of %s names no file for client %s: %w", a.User.Login, a.Client.ID,
			ErrOnce)
	}
	t, err := ReadTokens(path)
	if err != nil {
		return t, fmt.Errorf("the file of %s (sign_in.tokens): %w", a.User.Login, err)
	}
	return t, nil
}

// ReadTokens reads a file with a token response. The error names the file and quotes nothing of it.
func ReadTokens(path string) (Tokens, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Tokens{}, err
	}
	t, err := parse(raw)
	if err != nil {
		return t, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Keep puts tokens on the desk that somebody else obtained: a person.
func (d *Desk) Keep(a Ask, t Tokens) {
	e := d.entry(a)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tokens = &t
}

// Has reports whether there are tokens of the user at the client.
func (d *Desk) Has(login, client string) bool {
	d.mu.Lock()
	e := d.entries[key{login, client}]
	d.mu.Unlock()
	if e == nil {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tokens != nil
}

// Held is the tokens of one user at one client, for another process.
type Held struct {
	Login  string `json:"login"`
	Client string `json:"client"`
	Tokens Tokens `json:"tokens"`
}

// Held are all the tokens on the desk.
func (d *Desk) Held() (list []Held) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, e := range d.entries {
		if e.tokens != nil {
			list = append(list, Held{k.Login, k.Client, *e.tokens})
		}
	}
	return list
}

// Hold puts tokens on the desk.
func (d *Desk) Hold(list []Held) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = map[key]*entry{}
	for _, h := range list {
		d.entries[key{h.Login, h.Client}] = &entry{tokens: &h.Tokens}
	}
}

func field(name, value string) reports.Field { return reports.Field{Name: name, Value: value} }
