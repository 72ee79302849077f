package idp

import (
	"cmp"
	"crypto/rand"
	"fmt"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/grammar"
	"github.com/emaconform/emaconform/suites/idp/config"
	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// sender is how attacks on one identifier of the grammar are sent and judged.
type sender struct {
	needs []check.Need
	right func(*T) string // the value that the attack changes
	try   try
	// stranger is a value that nobody knows: where that is granted, too, nothing was compared, and the check anything
	// says so.
	stranger func(*T) any
	anything string
	title    string // begins the check's title; "" is "grants nothing for"
}

// try sends an attack and says what is wrong with the answer, or "".
type try func(t *T, given any) (problem string)

// fixed is a stranger that is the same in every world.
func fixed(value string) func(*T) any { return func(*T) any { return value } }

// unheard is a stranger that is new each time.
func unheard(*T) any { return rand.Text() }

// senders is one for each identifier of an identity provider in the grammar.
var senders = map[string]sender{
	"audience": {
		right:    func(t *T) string { return t.Notes().Audience },
		try:      ofPair("audience", "aud", func(t *T) string { return t.Notes().Audience }),
		stranger: fixed("https://unknown.example"),
		anything: "IDP-PAIRING/audience-unknown",
	},
	"resource": {
		needs:    []check.Need{NeedsResource},
		right:    func(t *T) string { return t.Notes().Resource },
		try:      ofPair("resource", "resource", func(t *T) string { return t.Notes().Resource }),
		stranger: fixed("https://unknown.example/mcp"),
		anything: "IDP-PAIRING/resource-unknown",
	},
	"forbidden-scope": {
		needs: []check.Need{NeedsForbiddenScope},
		right: func(t *T) string { return t.Notes().ForbiddenScope },
		try:   tryScope, stranger: fixed("nothing.known"), anything: "IDP-POLICY/unknown-scope",
	},
	"redirect": {
		needs:    []check.Need{NeedsWalk},
		right:    func(t *T) string { return t.A().RedirectURI },
		try:      func(t *T, given any) string { return tryRedirect(t, given.(string)) },
		stranger: fixed("https://evil.example/other"),
		anything: "IDP-REDIRECT/other-host",
	},
	"client": {
		needs: []check.Need{needsSecret},
		right: func(t *T) string { return t.A().ID },
		try: func(t *T, given any) string {
			return tryExchange(t, Authenticating(func(r *wire.Request) { present(r, t.A().Auth, given.(string), t.A().Secret) }))
		},
		stranger: unheard, anything: "IDP-CLIENT-AUTH/unknown-client",
	},
	"secret": {
		needs: []check.Need{needsSecret},
		right: func(t *T) string { return t.A().Secret },
		try:   func(t *T, given any) string { return tryExchange(t, withSecret(t.A(), given.(string))) }, stranger: unheard,
		anything: "IDP-CLIENT-AUTH/wrong-secret",
	},
	"login-iss": ofClientAssertion("iss", func(_ *T, k *config.Client) string { return k.ID }, "somebody-else",
		"IDP-CLIENT-AUTH/assertion-issuer"),
	"login-sub": ofClientAssertion("sub", func(_ *T, k *config.Client) string { return k.ID }, "somebody-else",
		"IDP-CLIENT-AUTH/assertion-subject"),
	"login-aud": ofClientAssertion("aud", func(t *T, _ *config.Client) string { return t.Provider.Token },
		"https://other.example/token",
		"IDP-CLIENT-AUTH/assertion-audience"),
	"refresh-token": {
		needs: []check.Need{NeedsRefresh},
		right: func(t *T) string { return t.Tokens(t.Alice(), t.A()).RefreshToken },
		try:   tryRefreshToken, stranger: unheard, anything: "IDP-SUBJECT-REFRESH/garbage",
	},
	"subject-type": {
		needs:    []check.Need{NeedsIDToken},
		right:    func(*T) string { return TypeID },
		try:      func(t *T, given any) string { return tryExchange(t, Param("subject_token_type", given.(string))) },
		stranger: fixed("urn:example:nothing"), anything: "IDP-SUBJECT-VALIDATE/type-unknown",
	},
	"requested-type": {
		right: func(*T) string { return TypeIDJAG },
		try: func(t *T, given any) string {
			_, answer := t.Beside(func() *wire.Answer { return t.Attack(Param("requested_token_type", given.(string))) })
			if idJAG(t, answer) {
				return "an ID-JAG was issued"
			}
			return ""
		},
		stranger: fixed("urn:example:nothing"), anything: "IDP-REQUESTED-TYPE/unknown",
	},
	"state": {
		needs: []check.Need{NeedsWalk}, title: "takes for no other one",
		right: func(t *T) string { return usual(t, "state") },
		try:   tryState, stranger: unheard, anything: "IDP-CODE/state",
	},
	"nonce": {
		needs: []check.Need{NeedsWalk}, title: "takes for no other one",
		right: func(t *T) string { return usual(t, "nonce") },
		try:   tryNonce, stranger: unheard, anything: "IDP-CODE/nonce",
	},
	"verifier": {
		needs: []check.Need{NeedsWalk, needsPKCE},
		right: func(t *T) string { return usual(t, "code_verifier") },
		try:   tryCode("code_verifier"), stranger: func(*T) any { return rand.Text() + rand.Text() },
		anything: "IDP-CODE/other-verifier",
	},
	"code-redirect": {
		needs: []check.Need{NeedsWalk},
		right: func(t *T) string { return t.A().RedirectURI },
		try:   tryCode("redirect_uri"), stranger: fixed("https://evil.example/cb"), anything: "IDP-CODE/other-redirect",
	},
	"nameid": {
		needs: []check.Need{NeedsHook("saml.named", func(w *World) string { return w.Config.SAML.Named })},
		right: nameOf,
		try:   tryName,
	},
}

var _ = check.ForAttacks("idp", senders, sender.declare)

func (s sender) declare(a grammar.Attack) {
	// Must is for what a MAY offers; Of weakens it again where no MUST is broken.
	options := []check.Option{check.Must(), check.Of(a), check.With(s.needs...),
		check.Sends(check.Sentence(a.What()) + ". An honest request that differs in this alone is granted before it, and " +
			"one after it.")}
	It(a.Slug(), cmp.Or(s.title, "grants nothing for")+" "+a.What(), func(t *T) {
		right := s.right(t)
		given, ok := a.Variant.Of(right)
		if !ok {
			t.Skipf("%s is %q here, which has nothing that this could change", a.Name, wire.Printable(right, 80))
		}
		problem := s.try(t, given)
		if problem == "" {
			return
		}
		if s.stranger != nil && s.try(t, s.stranger(t)) != "" {
			t.Skipf("any value is taken here, and none is compared: see %s", s.anything)
		}
		t.Failf("%s: %s, so that %s", problem, a.Mistake(), a.Way.Why)
	}, options...)
}

// refusal says why an answer is none, or "".
func refusal(answer *wire.Answer) string {
	switch {
	case Granted(answer):
		return "expected a refusal, but a token was granted"
	case answer.Err == nil && answer.Status >= 500:
		return fmt.Sprintf("expected a refusal, but got HTTP %d", answer.Status)
	}
	Expect(answer).To(server.BeRefused())
	return ""
}

func tryExchange(t *T, changes ...Option) string {
	_, answer := t.Beside(func() *wire.Answer { return t.Attack(changes...) })
	return refusal(answer)
}

// ofPair sends an exchange for another audience or resource. Who takes it for a known one and puts that into the grant
// gives nothing away.
func ofPair(parameter, claim string, right func(*T) string) try {
	return func(t *T, given any) string {
		_, answer := t.Beside(func() *wire.Answer { return t.Attack(Param(parameter, given.(string))) })
		if Granted(answer) {
			if g, _ := t.Read(answer); single(g.Claims[claim]) == right(t) {
				t.Warnf("granted, and not refused; %s of the grant is the right one, so that nobody gains by it today", claim)
				return ""
			}
		}
		return refusal(answer)
	}
}

// tryScope asks for a scope that policy denies by another spelling: that it is refused is as good as that it is
// dropped.
func tryScope(t *T, given any) string {
	_, answer := t.Beside(func() *wire.Answer { return t.Probe(Param("scope", given.(string))) })
	if !Granted(answer) {
		return ""
	}
	g, _ := t.Read(answer)
	if outside := beyond(t, g.Scopes()); outside != "" {
		return "the scope " + wire.Printable(outside, 80) + " was granted"
	}
	return ""
}

// ofClientAssertion sends a client assertion with another value of one claim.
func ofClientAssertion(claim string, right func(*T, *config.Client) string, stranger, anything string) sender {
	keyed := func(t *T) *config.Client { return t.ClientBy("private_key_jwt") }
	return sender{
		needs: []check.Need{NeedsClientAuth("private_key_jwt")},
		right: func(t *T) string { return right(t, keyed(t)) },
		try: func(t *T, given any) string {
			k := keyed(t)
			_, answer := t.Beside(func() *wire.Answer {
				return t.Attack(By(k), Authenticating(func(r *wire.Request) {
					token := signin.ClientAssertion(k, t.Provider.Token, t.Now())
					token.Claims[claim] = given
					assert(r, k, hostile.Sign(token))
				}))
			}, By(k))
			return refusal(answer)
		},
		stranger: fixed(stranger), anything: anything,
	}
}

func tryRefreshToken(t *T, given any) string {
	takesRefreshTokens(t, refreshing(t.Tokens(t.Alice(), t.A()).RefreshToken))
	return refusal(t.Attack(refreshing(given.(string))))
}

// nameOf is the name in the first user's assertion.
func nameOf(t *T) string {
	return t.Facts.Find("NameID", func() string { return hostile.NameID(document(t, t.Config.SAML.Assertion)) })
}

// tryName presents an assertion that was made out to another name: whoever it is granted to, it is not the first user.
func tryName(t *T, given any) string {
	want, answer := besideAssertion(t, func() *wire.Answer {
		return t.Attack(asserting(t, assertion(t, do(t, t.Config.SAML.Named, given.(string)))))
	})
	if Granted(answer) && subjectBehind(t, answer) == want {
		return "the user behind it is " + wire.Printable(t.Alice().Login, 80)
	}
	return ""
}
