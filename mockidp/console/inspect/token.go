// Package inspect explains a JWT that a person has at hand: what it is, what each member of its header and its claims
// means, and what a Resource Authorization Server (RAS) will find when it checks it as an ID-JAG. It keeps nothing and
// logs nothing, and what it returns holds no signature.
package inspect

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/directory"
)

// MaxText bounds what is looked at, in bytes: a JWT is a few KiB.
const MaxText = 64 << 10

// Provider is what is known of the identity provider that the token may be from.
type Provider struct {
	Issuer    string
	Keys      func(issuer string) (keys jose.JSONWebKeySet, ok bool) // of one of its authorization servers
	Directory *directory.Directory
	Now       time.Time
}

// Report is a token, explained. Checks is empty when the token cannot be checked, for instance because it is encrypted.
type Report struct {
	Kind, About string
	Notes       []string // about the paste, not about the token
	Header      []Member
	Claims      []Member
	Left        int // claims that are not shown because there are too many
	Signature   string
	Checks      []Check
}

// Member is a member of the header or a claim.
type Member struct {
	Name    string
	Value   string // JSON, cut when it is long
	Says    string // what this value means here
	Meaning string
	Source  Source
	Again   bool // an earlier member has this name
}

// token is a JWT whose signature nobody has looked at.
type token struct {
	compact        string
	header, claims object
	signature      []byte
}

// Token explains a JWT in compact serialization. The error says what is wrong with text, for people, and quotes none of
// it.
func Token(text string, idp Provider) (*Report, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("this is %d KiB of text: a token has a few, and more than %d are not looked at",
			len(text)>>10, MaxText>>10)
	}
	compact, notes := clean(text)
	if compact == "" {
		return nil, errors.New("nothing was pasted: expected a JWT, three parts of base64url with dots between")
	}
	parts := strings.Split(compact, ".")
	if len(parts) == 5 {
		return encrypted(parts[0], notes)
	}
	if len(parts) != 3 {
		return nil, wrongParts(len(parts))
	}
	t := token{compact: compact}
	var err error
	if t.header, err = decode("header", parts[0]); err != nil {
		return nil, err
	}
	if t.claims, err = decode("claims", parts[1]); err != nil {
		return nil, err
	}
	if t.signature, err = base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return nil, errors.New("the third part, the signature, is not base64url")
	}
	return t.report(notes, idp), nil
}

// clean takes out what copying adds: white space, line breaks, quotes around, the name of the scheme before.
func clean(text string) (compact string, notes []string) {
	compact = strings.Trim(strings.TrimSpace(text), `"'`)
	if scheme, rest, found := strings.Cut(compact, " "); found && strings.EqualFold(scheme, "Bearer") {
		compact = rest
	}
	joined := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, compact)
	if joined != compact {
		notes = append(notes, "White space inside the text was left out. A RAS does not do that.")
	}
	return joined, notes
}

func wrongParts(n int) error {
	what := fmt.Sprintf("it has %d parts", n)
	if n == 1 {
		what = "it has no dots"
	}
	return fmt.Errorf("this is not a JWT in compact form: %s, expected three with dots between (RFC 7515 section 7.1). "+
		"Refresh tokens, codes and access tokens of the org authorization server are opaque: there is nothing in them to "+
		"read", what)
}

func decode(name, part string) (object, error) {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("the %s part is not base64url without padding (RFC 7515 section 2)", name)
	}
	o, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("the %s part %w", name, err)
	}
	return o, nil
}

// encrypted explains a JWE, which only its recipient can open.
func encrypted(header string, notes []string) (*Report, error) {
	h, err := decode("header", header)
	if err != nil {
		return nil, err
	}
	t := token{header: h}
	return &Report{Kind: "Encrypted token (JWE)", Notes: notes, Header: t.members(h, headerWords, Provider{}),
		About: "Its content can be read only by whom it is encrypted to. In an ID-JAG that is the RAS, and inside must " +
			"be a signed JWT (EMA section 7.4.3). To look inside, take encrypt_to off the connector for a moment."}, nil
}

// maxMembers bounds how many members are shown.
const maxMembers = 100

func (t *token) report(notes []string, idp Provider) *Report {
	r := &Report{Notes: notes, Signature: fmt.Sprintf("%d bytes, not shown", len(t.signature))}
	if len(t.signature) == 0 {
		r.Signature = "empty"
	}
	r.Kind, r.About = t.kind()
	shown := t.claims[:min(len(t.claims), maxMembers)]
	r.Left = len(t.claims) - len(shown)
	r.Header = t.members(t.header[:min(len(t.header), maxMembers)], headerWords, idp)
	r.Claims = t.members(shown, claimWords, idp)
	r.Checks = check(t, idp)
	return r
}
