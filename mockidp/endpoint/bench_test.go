package endpoint_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emaconform/emaconform/mockidp"
)

// spread shares b.N calls of do among n connections and reports calls a second and the 99th percentile.
func spread(b *testing.B, n int, do func(*http.Client) error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, n)
	var all sync.WaitGroup
	b.ResetTimer()
	start := time.Now()
	for i := range n {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			for left.Add(-1) >= 0 {
				begun := time.Now()
				if err := do(client); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(begun))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	times := slices.Concat(took...)
	slices.Sort(times)
	b.ReportMetric(float64(len(times))/time.Since(start).Seconds(), "req/s")
	b.ReportMetric(float64(times[len(times)*99/100])/1e6, "p99-ms")
}

// answered sends a request and reads its answer, which must be a 200 that holds want.
func answered(c *http.Client, r *http.Request, want string) error {
	res, err := c.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(raw), want)) {
		err = fmt.Errorf("answered %s", res.Status)
	}
	return err
}

func BenchmarkDiscovery(b *testing.B) {
	idp := mockidp.New(b)
	spread(b, 16, func(c *http.Client) error {
		r, err := http.NewRequest(http.MethodGet, idp.URL()+"/.well-known/openid-configuration", nil)
		if err != nil {
			return err
		}
		return answered(c, r, "token_endpoint")
	})
}

func BenchmarkLogin(b *testing.B) {
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		b.Run(string(alg), func(b *testing.B) {
			idp := mockidp.New(b, mockidp.WithAlgorithm(alg))
			spread(b, 16, func(*http.Client) error {
				_, err := idp.SignIn(alice, agent)
				return err
			})
		})
	}
}

// BenchmarkExchange is token exchange beside its limit: a bare handler that only parses the form, verifies the subject
// token and signs the answer with go-jose.
func BenchmarkExchange(b *testing.B) {
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		idp := mockidp.New(b, mockidp.WithAlgorithm(alg))
		limit := httptest.NewServer(bare(b, idp.Issuer().Keys.Signing()))
		b.Cleanup(limit.Close)
		subject, err := idp.IDToken(alice, agent).Sign()
		if err != nil {
			b.Fatal(err)
		}
		body := exchange(subject, "client_id", agent, "client_secret", idp.Directory().Client(agent).Secret).Encode()
		for _, connections := range []int{1, 16, 64} {
			for _, who := range []struct{ name, url string }{{"limit", limit.URL}, {"mockidp", idp.TokenURL()}} {
				b.Run(fmt.Sprintf("%s/%d/%s", alg, connections, who.name), func(b *testing.B) {
					spread(b, connections, func(c *http.Client) error {
						r, err := http.NewRequest(http.MethodPost, who.url, strings.NewReader(body))
						if err != nil {
							return err
						}
						r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
						return answered(c, r, "N_A")
					})
				})
			}
		}
	}
}

// bare verifies and signs, and does nothing else.
func bare(b *testing.B, key *mockidp.Key) http.Handler {
	alg := jose.SignatureAlgorithm(key.Algorithm)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key.JSONWebKey},
		(&jose.SignerOptions{}).WithType(mockidp.TypeIDJAG))
	if err != nil {
		b.Fatal(err)
	}
	public := key.Public()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := jwt.ParseSigned(r.PostFormValue("subject_token"), []jose.SignatureAlgorithm{alg})
		var claims jwt.Claims
		if err != nil || token.Claims(public.Key, &claims) != nil {
			http.Error(w, "bad token", http.StatusBadRequest)
			return
		}
		now := time.Now()
		signed, err := jwt.Signed(signer).Claims(map[string]any{"iss": claims.Issuer, "sub": claims.Subject,
			"aud":       r.PostFormValue("audience"),
			"client_id": "x", "jti": fmt.Sprint(now.UnixNano()), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
			"resource": r.PostFormValue("resource"), "scope": r.PostFormValue("scope")}).Serialize()
		if err != nil {
			http.Error(w, "not signed", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": signed, "token_type": "N_A"})
	})
}
