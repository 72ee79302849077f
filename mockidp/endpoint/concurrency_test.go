package endpoint_test

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
)

// TestManyClientsAtOnce lets 64 clients sign in, exchange and refresh while keys rotate, users come and go, and logs
// are read. The race detector judges; what is asserted is that the users whom nothing happens to are always served.
func TestManyClientsAtOnce(t *testing.T) {
	const clients, rounds = 64, 4
	d := directory.Default().Clone()
	for n := range clients {
		d.Users = append(d.Users, directory.User{Login: fmt.Sprintf("user%d@acme.example", n),
			Groups: []string{"Engineering"}})
	}
	idp := mockidp.New(t, mockidp.WithDirectory(d), mockidp.WithAlgorithm(jose.ES256))
	secret := idp.Directory().Client(agent).Secret
	meddlers := []func(int) error{
		func(int) error { _, err := idp.RotateKeys(false); return err },
		func(int) error { idp.Exchanges(); idp.Audit().Entries(); idp.Sizes(); return nil },
		func(n int) error {
			return idp.SetStatus(bob, []directory.Status{directory.Suspended, directory.Active}[n%2])
		},
		func(n int) error {
			return idp.Update(func(d *directory.Directory) error { d.Settings.Tenant = fmt.Sprint(n); return nil })
		},
	}
	var workers sync.WaitGroup
	for n := range clients {
		workers.Go(func() {
			login := fmt.Sprintf("user%d@acme.example", n)
			for round := range rounds {
				tokens, err := idp.SignIn(login, agent, "offline_access")
				if err != nil {
					t.Errorf("%s: sign-in: %v", login, err)
					return
				}
				if err := meddlers[n%len(meddlers)](round); err != nil {
					t.Error(err)
				}
				for _, form := range []url.Values{exchange(tokens.IDToken), refresh(tokens.RefreshToken)} {
					form.Set("client_id", agent)
					form.Set("client_secret", secret)
					res, err := http.PostForm(idp.TokenURL(), form)
					if err != nil {
						t.Error(err)
						return
					}
					res.Body.Close()
					if res.StatusCode != http.StatusOK {
						t.Errorf("%s: %s: %s", login, form.Get("grant_type"), res.Status)
					}
				}
			}
		})
	}
	workers.Wait()
}
