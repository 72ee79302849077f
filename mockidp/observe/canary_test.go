package observe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp/ca"
	"github.com/emaconform/emaconform/mockidp/fault"
	"github.com/emaconform/emaconform/mockidp/mint"
)

func startCanaryFor(t *testing.T) (*Canary, *mint.Key) {
	t.Helper()
	key, err := mint.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	c, err := StartCanary(t.Context(), "127.0.0.1:0", key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, key
}

func TestCanaryIsAnIssuerForEveryID(t *testing.T) {
	c, key := startCanaryFor(t)
	issuer := c.URL() + "/one"
	for _, url := range []string{
		issuer + "/.well-known/openid-configuration", issuer + "/.well-known/oauth-authorization-server",
		c.URL() + "/.well-known/oauth-authorization-server/one", c.URL() + "/.well-known/openid-configuration/one",
	} {
		_, body := get(t, http.DefaultClient, url)
		var metadata map[string]any
		if err := json.Unmarshal([]byte(body), &metadata); err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if metadata["issuer"] != issuer || metadata["jwks_uri"] != issuer+"/jwks" {
			t.Errorf("%s: issuer %v, jwks_uri %v", url, metadata["issuer"], metadata["jwks_uri"])
		}
	}
	_, body := get(t, http.DefaultClient, issuer+"/jwks")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 1 || !set.Keys[0].IsPublic() || set.Keys[0].KeyID != key.KeyID {
		t.Error("the key set is not the attacker's public key")
	}
}

func TestCanaryRecordsUnderTheID(t *testing.T) {
	c, _ := startCanaryFor(t)
	get(t, http.DefaultClient, c.URL()+"/one/jwks")
	get(t, http.DefaultClient, c.URL()+"/.well-known/oauth-authorization-server/one?code=secret")
	resp, _ := get(t, http.DefaultClient, c.URL()+"/two/nothing/here")
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown document has status %d", resp.StatusCode)
	}
	req, err := http.NewRequest(http.MethodPost, c.URL()+"/one/token", strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	posted, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	posted.Body.Close()
	var seen []string
	for _, hit := range c.Hits("one") {
		seen = append(seen, hit.Method+" "+hit.Path)
	}
	want := []string{"GET /one/jwks", "GET /.well-known/oauth-authorization-server/one", "POST /one/token"}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("hits of one are %v", seen)
	}
	if hit := c.Hits("one")[2]; !slices.Contains(hit.Header, "Authorization") {
		t.Errorf("header names are %v", hit.Header)
	}
	if strings.Contains(fmt.Sprint(c.Hits("one")), "secret") {
		t.Error("the hits hold a secret")
	}
	if len(c.Hits("two")) != 1 || len(c.Hits("three")) != 0 {
		t.Errorf("two has %d hits, three %d", len(c.Hits("two")), len(c.Hits("three")))
	}
}

func TestCanaryPublishes(t *testing.T) {
	c, _ := startCanaryFor(t)
	c.Publish("one", "/doc", fault.Reply{Body: "first"})
	c.Publish("one", "doc", fault.Reply{Body: "second", Repeat: 1 << 20})
	elsewhere := map[string]string{"Location": c.URL() + "/two/landed"}
	c.Publish("one", "away", fault.Reply{Status: http.StatusFound, Header: elsewhere})
	const metadata = ".well-known/openid-configuration"
	c.Publish("one", metadata, fault.Reply{Body: `{"issuer":"https://other.example"}`})
	c.Publish("two", "landed", fault.Reply{Status: http.StatusTeapot})
	_, body := get(t, http.DefaultClient, c.URL()+"/one/doc")
	if !strings.HasPrefix(body, "second") || len(body) != 1<<20 {
		t.Errorf("the document has %d bytes", len(body))
	}
	if resp, _ := get(t, http.DefaultClient, c.URL()+"/one/away"); resp.StatusCode != http.StatusTeapot {
		t.Errorf("the redirect led to status %d", resp.StatusCode)
	}
	if _, body := get(t, http.DefaultClient, c.URL()+"/one/"+metadata); !strings.Contains(body, "other.example") {
		t.Errorf("the metadata is still %s", body)
	}
	if len(c.Hits("two")) != 1 {
		t.Error("the redirect's target was not recorded")
	}
}

func TestCanaryRemembersNoMoreThanItsLimits(t *testing.T) {
	c, _ := startCanaryFor(t)
	for range maxCanaryHits + 5 {
		c.record("busy", "", Hit{})
	}
	if got := len(c.Hits("busy")); got != maxCanaryHits {
		t.Errorf("%d hits are kept", got)
	}
	for n := range maxCanaryIDs {
		c.record(fmt.Sprint(n), "", Hit{})
	}
	if len(c.ids) != maxCanaryIDs || len(c.order) != maxCanaryIDs {
		t.Errorf("%d ids are kept", len(c.ids))
	}
	if len(c.Hits("busy")) != 0 || len(c.Hits(fmt.Sprint(maxCanaryIDs-1))) != 1 {
		t.Error("not the oldest id was forgotten")
	}
}

func TestCanaryOverTLS(t *testing.T) {
	authority, err := ca.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	key, err := mint.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	good, err := authority.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	bad, err := authority.BadTLSConfig(ca.Expired)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority.PEM())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	c, err := StartTLSCanary(t.Context(), "127.0.0.1:0", key, good)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if resp, _ := get(t, client, c.URL()+"/one/jwks"); resp.StatusCode != http.StatusOK || len(c.Hits("one")) != 1 {
		t.Errorf("status %d, %d hits", resp.StatusCode, len(c.Hits("one")))
	}
	expired, err := StartTLSCanary(t.Context(), "127.0.0.1:0", key, bad)
	if err != nil {
		t.Fatal(err)
	}
	defer expired.Close()
	if res, err := client.Get(expired.URL() + "/one/jwks"); err == nil {
		res.Body.Close()
		t.Error("an expired certificate is taken")
	}
	if hits := len(expired.Hits("one")); hits != 0 {
		t.Errorf("expired certificate: %d hits", hits)
	}
}

func TestCanarySaysWhyItCannotStart(t *testing.T) {
	c, key := startCanaryFor(t)
	if _, err := StartCanary(t.Context(), strings.TrimPrefix(c.URL(), "http://"), key); err == nil {
		t.Error("two canaries listen on one port")
	}
}

// response is an answer whose body has been read and closed.
type response struct{ *http.Response }

func get(t *testing.T, client *http.Client, url string) (response, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{resp}, string(body)
}
