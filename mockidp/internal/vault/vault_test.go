package vault_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const leeway = 30 * time.Second

func keep(v *vault.Vault, user string) vault.Grant {
	g := vault.NewGrant("app", user, []string{"openid"}, directory.Authentication{Time: now}, now.Add(time.Hour))
	v.Keep(g, now)
	return g
}

func TestRefreshRotation(t *testing.T) {
	v := vault.New()
	g := keep(v, "ann")
	first := v.RefreshToken(g)
	_, second, err := v.Refresh(first, "app", true, leeway, now)
	if err != nil || second == first {
		t.Fatalf("%v, rotated %t", err, second != first)
	}
	if _, again, err := v.Refresh(first, "app", true, leeway, now.Add(leeway)); err != nil || again != second {
		t.Errorf("within the leeway: %v, the same successor %t", err, again == second)
	}
	if _, _, err := v.Refresh(second, "other", true, leeway, now); !errors.Is(err, vault.ErrClient) {
		t.Errorf("another client: %v", err)
	}
	if _, _, err := v.Refresh(first, "app", true, leeway, now.Add(leeway+time.Second)); !errors.Is(err, vault.ErrUsed) {
		t.Errorf("reuse after the leeway: %v", err)
	}
	if _, _, err := v.Refresh(second, "app", true, leeway, now); !errors.Is(err, vault.ErrRevoked) {
		t.Errorf("the newest after a reuse: %v", err)
	}
}

func TestRefreshTokensCannotBeMadeUp(t *testing.T) {
	v := vault.New()
	token := v.RefreshToken(keep(v, "ann"))
	other := vault.New()
	for name, forged := range map[string]string{
		"empty": "", "garbage": "garbage", "changed": "A" + token[1:], "cut": token[:len(token)-1],
		"of another vault": other.RefreshToken(keep(other, "ann")),
	} {
		if forged == token {
			continue
		}
		if _, _, err := v.Refresh(forged, "app", false, leeway, now); !errors.Is(err, vault.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := v.Refresh(token, "app", false, leeway, now.Add(time.Hour)); !errors.Is(err, vault.ErrUnknown) {
		t.Error("taken after its end")
	}
}

func TestCodeIsRedeemedOnceWhoeverIsFirst(t *testing.T) {
	v := vault.New()
	code := v.IssueCode(vault.Code{Client: "app", User: "ann", Scopes: []string{"openid"}}, now)
	fine := func(vault.Code) error { return nil }
	if _, err := v.RedeemCode(code, "app", func(vault.Code) error { return errors.New("no") }, now.Add(time.Hour),
		now); err == nil {
		t.Fatal("taken although the check failed")
	}
	var redeemed atomic.Int32
	var last atomic.Pointer[vault.Grant]
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if g, err := v.RedeemCode(code, "app", fine, now.Add(time.Hour), now); err == nil {
				redeemed.Add(1)
				last.Store(&g)
			}
		})
	}
	all.Wait()
	if n := redeemed.Load(); n != 1 {
		t.Fatalf("redeemed %d times", n)
	}
	if _, live := v.FindRefresh(v.RefreshToken(*last.Load()), now); live {
		t.Error("what the code was redeemed for outlives its second use")
	}
}

func TestCodeExpires(t *testing.T) {
	v := vault.New()
	code := v.IssueCode(vault.Code{Client: "app"}, now)
	late := now.Add(vault.CodeLifetime + time.Second)
	if _, err := v.RedeemCode(code, "app", func(vault.Code) error { return nil }, late.Add(time.Hour),
		late); !errors.Is(err, vault.ErrUnknown) {
		t.Error(err)
	}
}

func TestSeen(t *testing.T) {
	v := vault.New()
	ends := now.Add(time.Minute)
	for i, want := range []bool{false, true, true} {
		if before, err := v.Seen(ends, now, "a", "b"); err != nil || before != want {
			t.Errorf("%d: %t, %v", i, before, err)
		}
	}
	if before, _ := v.Seen(ends, now, "ab"); before {
		t.Error(`"a", "b" is taken for "ab"`)
	}
	if before, _ := v.Seen(ends.Add(time.Hour), ends.Add(time.Hour-time.Minute), "a", "b"); before {
		t.Error("remembered for longer than asked")
	}
}

func TestClearUserEndsEverythingOfOneUser(t *testing.T) {
	v := vault.New()
	ann, ben := keep(v, "ann"), keep(v, "ben")
	annCookie := v.StartSession(vault.Session{User: "ann", Ends: now.Add(time.Hour)}, now)
	benCookie := v.StartSession(vault.Session{User: "ben", Ends: now.Add(time.Hour)}, now)
	v.KeepAccess("at", vault.Access{Grant: ann.ID, User: "ann", Ends: now.Add(time.Hour)}, now)
	v.ClearUser("ann", now)

	_, annSession := v.Session(annCookie, now)
	_, benSession := v.Session(benCookie, now)
	_, annLive := v.FindRefresh(v.RefreshToken(ann), now)
	_, benLive := v.FindRefresh(v.RefreshToken(ben), now)
	_, access := v.Access("at", now)
	if annSession || annLive || access || !benSession || !benLive {
		t.Errorf("ann: session %t, refresh %t, access %t; ben: session %t, refresh %t", annSession, annLive, access,
			benSession, benLive)
	}
	if !v.EndedSince("ann", now, now) || v.EndedSince("ann", now.Add(time.Second), now) || v.EndedSince("ben", now, now) {
		t.Error("what was issued before the end, and only that, is to be refused")
	}
}

func TestWaitCountsOnceForItsRequest(t *testing.T) {
	v := vault.New()
	handle := v.Wait("request", now)
	if _, ok := v.Waited(handle, "other request", now); ok {
		t.Error("taken for another request")
	}
	if since, ok := v.Waited(handle, "request", now.Add(time.Minute)); !ok || !since.Equal(now) {
		t.Error(since, ok)
	}
	if _, ok := v.Waited(handle, "request", now); ok {
		t.Error("taken twice")
	}
}
