package clients

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// badProofs are proofs that prove nothing. used is the proof that the control has sent.
var badProofs = []struct {
	slug, what string
	make       func(t *server.T, p server.Prover, used string) []string
	options    []check.Option
}{
	{"htu", "a proof for another URL", changedProof(server.Set("htu", server.OtherIssuer+"/token")), nil},
	{"htm", "a proof for another method", changedProof(server.Set("htm", http.MethodGet)), nil},
	{"old", "a proof made an hour ago", changedProof(server.Ahead("iat", -time.Hour)), nil},
	// RFC 9449 4.3 wants an acceptable time frame, 11.1 one of seconds or minutes.
	{"old-10m", "a proof made ten minutes ago", changedProof(server.Ahead("iat", -10*time.Minute)),
		[]check.Option{check.Should()}},
	{"ahead", "a proof made an hour from now", changedProof(server.Ahead("iat", time.Hour)), nil},
	{"reused", "a proof that was used before", func(_ *server.T, _ server.Prover, used string) []string {
		return []string{used}
	}, nil},
	{"no-jti", "a proof without jti", changedProof(server.Remove("jti")), nil},
	{"typ", "a proof whose typ is JWT", changedProof(server.SetHeader("typ", "JWT")), nil},
	{"none", "an unsigned proof (alg none)", func(t *server.T, p server.Prover, _ string) []string {
		return []string{hostile.None(p.Proof(t), "none")}
	}, nil},
	{"forged", "a proof that holds the right key and is " +
		"signed by another", func(t *server.T, p server.Prover, _ string) []string {
		forged := t.NewProver().Proof(t)
		forged.Header["jwk"] = p.JWK()
		return []string{hostile.Sign(forged)}
	}, nil},
	// The key is made for this one check, so that nothing is given away in the report.
	{"private-key", "a proof with the private key in its header", func(t *server.T, p server.Prover, _ string) []string {
		return []string{hostile.Sign(p.Proof(t, server.SetHeader("jwk", jose.JSONWebKey{Key: p.Key.Key})))}
	}, nil},
	{"two", "two proofs", func(t *server.T, p server.Prover, _ string) []string {
		return []string{hostile.Sign(p.Proof(t)), hostile.Sign(p.Proof(t))}
	}, nil},
	// RFC 9449 4.3 wants ath where a token is used, and does not say that it must be absent elsewhere.
	{"ath", "a proof made to use an access token (ath)", func(t *server.T, p server.Prover, _ string) []string {
		sum := sha256.Sum256([]byte(rand.Text()))
		return []string{hostile.Sign(p.Proof(t, server.Set("ath", base64.RawURLEncoding.EncodeToString(sum[:]))))}
	}, []check.Option{check.Should()}},
}

func changedProof(edit server.Edit) func(*server.T, server.Prover, string) []string {
	return func(t *server.T, p server.Prover, _ string) []string { return []string{hostile.Sign(p.Proof(t, edit))} }
}

// someThumbprint is well-formed and nobody's.
const someThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

// refusesProofs declares a check for each bad proof, with ID-JAGs that the edit makes.
func refusesProofs(kind string, edit func(*server.T, server.Prover) server.Edit) {
	for _, b := range badProofs {
		server.It(b.slug, "refuses "+b.what, func(t *server.T) {
			p := t.NewProver()
			var used string
			t.Control(t.Grant(edit(t, p)), func(r *server.Redemption) {
				used = hostile.Sign(p.Proof(t))
				server.Proofs(used)(r)
			})
			server.ExpectRefused(t, t.Attack(t.Grant(edit(t, p)), server.Proofs(b.make(t, p, used)...)),
				server.InvalidDPoPProof, server.InvalidGrant)
		}, append(b.options, check.With(server.NeedsMetadata(server.ProofAlgorithms)),
			server.Refusal(server.InvalidDPoPProof, server.InvalidGrant),
			check.Sends(check.Sentence(kind)+" with "+b.what+", after one with a good proof as control"))...)
	}
}

// jwtDPoP is for checks of the grant type with which the draft's example redeems bound ID-JAGs.
var jwtDPoP = check.With(server.NeedsMetadata(server.ProofAlgorithms), server.NeedsGrantType(server.GrantJWTDPoP))

func asBound(r *server.Redemption) { server.Param("grant_type", server.GrantJWTDPoP)(r) }

var _ = check.For("RAS-DPOP-BOUND", func() {
	refusesProofs("an ID-JAG bound to a key", func(t *server.T, p server.Prover) server.Edit { return p.Bind(t) })

	// A server without DPoP is judged, too: the draft wants proof wherever there is cnf.
	server.It("no-proof", "refuses an ID-JAG bound to a key without a proof of that key", func(t *server.T) {
		t.Control(t.Grant())
		server.ExpectRefused(t, t.Attack(t.Grant(t.NewProver().Bind(t))), server.InvalidGrant)
	}, server.Refusal(server.InvalidGrant),
		check.Sends("An ID-JAG with cnf.jkt and no DPoP proof, after one without cnf as control"))

	server.It("other-key", "refuses an ID-JAG bound to a key with a proof of another key", func(t *server.T) {
		p := t.NewProver()
		t.Control(t.Grant(p.Bind(t)), p.Proving(t))
		server.ExpectRefused(t, t.Attack(t.Grant(p.Bind(t)), t.NewProver().Proving(t)), server.InvalidGrant)
	}, check.With(server.NeedsMetadata(server.ProofAlgorithms)), server.Refusal(server.InvalidGrant),
		check.Sends("An ID-JAG with cnf.jkt and a proof of another key, after one with a proof of the right key as control"))

	server.It("required", "gives a client of which it wants proofs no token without one", func(t *server.T) {
		c := t.DPoPClient()
		t.Control(server.GrantFor(t, c), server.As(c), t.NewProver().Proving(t))
		server.ExpectRefused(t, t.Attack(server.GrantFor(t, c), server.As(c), server.Unproved), server.InvalidGrant)
	}, check.With(server.NeedsDPoPClient), server.Refusal(server.InvalidGrant),
		check.Sends("An ID-JAG without cnf by a client whose tokens have to be bound, with a proof as control, then without"))

	server.It("jwt-dpop", "grants a bound ID-JAG with the grant type that it lists for those", func(t *server.T) {
		p := t.NewProver()
		t.Control(t.Grant(p.Bind(t)), p.Proving(t))
		a := t.Attack(t.Grant(p.Bind(t)), p.Proving(t), asBound)
		Expect(a).To(server.BeGranted(), "the metadata lists the grant type")
		expectBound(t, a, p)
	}, jwtDPoP, check.Sends("An ID-JAG with cnf.jkt and a proof of that key, as jwt-bearer and then as jwt-dpop"))

	server.It("jwt-dpop-no-proof", "redeems nothing with the grant type for bound ID-JAGs "+
		"without a proof", func(t *server.T) {
		p := t.NewProver()
		t.Control(t.Grant(p.Bind(t)), p.Proving(t), asBound)
		server.ExpectRefused(t, t.Attack(t.Grant(p.Bind(t)), server.Unproved, asBound), server.InvalidGrant)
	}, jwtDPoP, server.Refusal(server.InvalidGrant),
		check.Sends("An ID-JAG with cnf.jkt as jwt-dpop with a proof as control, then without"))

	server.It("jwt-dpop-unbound", "redeems no ID-JAG that is bound to no key with the grant type "+
		"for bound ones", func(t *server.T) {
		p := t.NewProver()
		t.Control(t.Grant(p.Bind(t)), p.Proving(t), asBound)
		server.ExpectRefused(t, t.Attack(t.Grant(), p.Proving(t), asBound), server.InvalidGrant)
	}, jwtDPoP, check.Should(), server.Refusal(server.InvalidGrant),
		check.Sends("An ID-JAG with cnf.jkt as jwt-dpop with a proof as control, then one without cnf"))

	server.Refuses(
		server.Attack{Slug: "cnf-string", What: "an ID-JAG whose cnf is a string", Edit: server.Set("cnf", someThumbprint)},
		server.Attack{Slug: "cnf-empty", What: "an ID-JAG whose cnf holds nothing",
			Edit: server.Set("cnf", map[string]any{})},
		server.Attack{Slug: "cnf-array", What: "an ID-JAG whose cnf is an array",
			Edit: server.Set("cnf", []any{map[string]any{"jkt": someThumbprint}})},
		server.Attack{Slug: "jkt-empty", What: "an ID-JAG whose cnf.jkt is empty",
			Edit: server.Set("cnf", map[string]any{"jkt": ""})},
		server.Attack{Slug: "jkt-number", What: "an ID-JAG whose cnf.jkt is a number",
			Edit: server.Set("cnf", map[string]any{"jkt": 1})},
		server.Attack{Slug: "certificate", What: "an ID-JAG bound to a certificate that the client does not present",
			Edit: server.Set("cnf", map[string]any{"x5t#S256": someThumbprint})},
	)

	server.It("bound-token", "binds the access token to the key of the ID-JAG and says so", func(t *server.T) {
		p := t.NewProver()
		a := t.Control(t.Grant(p.Bind(t)), p.Proving(t))
		if !strings.EqualFold(a.String("token_type"), "DPoP") {
			t.Failf("expected token_type DPoP, for the ID-JAG is bound to a key and its proof was sent, but saw %s",
				server.DescribeMember(a, "token_type"))
		}
		expectBound(t, a, p)
	}, check.Should(), check.With(server.NeedsMetadata(server.ProofAlgorithms)),
		check.Sends("An ID-JAG with cnf.jkt and a proof of that key"))
})

var _ = check.For("RAS-DPOP-BOUND", func() {
	for _, header := range server.HostHeaders {
		server.It("htu-by-"+strings.ToLower(header), "knows its URL in proofs, whatever "+header+" says", func(t *server.T) {
			p := t.NewProver()
			t.Control(t.Grant(p.Bind(t)), p.Proving(t))
			for _, scheme := range []string{"https", "http"} {
				elsewhere := p.Proof(t, server.Set("htu", server.OnOtherHost(t.Target.TokenEndpoint, scheme)))
				a := t.Attack(t.Grant(p.Bind(t)), server.NamesOtherHost(header, scheme),
					server.Proofs(hostile.Sign(elsewhere)))
				if server.Granted(a) {
					t.Failf("a proof for %s was taken in a request whose %s said so: whoever has caught a proof that was made "+
						"for another server uses it here", server.OtherHost, header)
				}
				Expect(a.Status/100).NotTo(Equal(2), "a success without an access token")
			}
		}, check.With(server.NeedsMetadata(server.ProofAlgorithms)), check.Sends("An ID-JAG bound to a key with a good "+
			"proof as control, then with a proof for another server in a request whose "+header+" names that one"))
	}
})
