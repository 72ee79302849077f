package idp

import (
	"sync"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/idp/signin"
	. "github.com/emaconform/emaconform/suites/idp/world"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// leaving is what becomes of a person who is deactivated, comes back, loses an assignment and then every session: one
// season, for that is one person.
type leaving struct {
	deactivated Chapter // an exchange of the usual subject token
	refreshGone Chapter // and of a refresh token
	reactivated Chapter
	stillOut    error // why the person could not sign in then
	unassigned  Chapter
	revoked     Chapter // an exchange of a refresh token
}

// leave has the leaver leave, as far as there are hooks.
func leave(t *T) *leaving {
	return Season(t, "leaving", func() *leaving {
		l, hooks := &leaving{}, &t.Config.Hooks
		tokens := l.arrive(t)
		if hooks.Deactivate != "" && hooks.Reactivate != "" {
			l.deactivate(t, tokens)
			tokens = l.comeBack(t)
		} else {
			l.unassigned, l.revoked = l.deactivated, l.refreshGone // the same sign-in
		}
		if hooks.Unassign != "" && hooks.Assign != "" {
			l.unassign(t, tokens)
		}
		if hooks.Revoke != "" {
			l.revoke(t, tokens)
		}
		return l
	})
}

func leaverAsks(t *T) signin.Ask { return signin.Ask{User: t.Leaver(), Client: t.A()} }

// arrive signs the leaver in anew and makes an honest exchange of each token.
func (l *leaving) arrive(t *T) (tokens signin.Tokens) {
	usual, refresh := &l.deactivated, &l.refreshGone
	t.Tell(usual, func(t *T) {
		var err error
		if tokens, err = t.Desk.Fresh(t, t.Recorder(), leaverAsks(t)); err != nil {
			usual.Stopf("%v", err)
			refresh.Stopf("%v", err)
		}
	})
	together(
		func() { t.Tell(usual, func(t *T) { usual.Before = t.Twin(usually(t, tokens)...) }) },
		func() { t.Tell(refresh, func(t *T) { refresh.Before = t.Twin(byRefresh(t, tokens)...) }) },
	)
	return tokens
}

func usually(t *T, tokens signin.Tokens) []Option {
	return []Option{For(t.Leaver()), Subject(subjectOf(t, tokens))}
}

func byRefresh(t *T, tokens signin.Tokens) []Option {
	return []Option{For(t.Leaver()), refreshing(tokens.RefreshToken)}
}

// deactivate deactivates the leaver and sees what still works.
func (l *leaving) deactivate(t *T, tokens signin.Tokens) {
	t.Tell(&l.deactivated, func(t *T) { change(t, &l.deactivated, t.Config.Hooks.Deactivate) })
	if l.refreshGone.Problem == "" {
		l.refreshGone.Problem = l.deactivated.Problem
	}
	together(
		func() { t.Tell(&l.deactivated, func(t *T) { after(t, &l.deactivated, usually(t, tokens)) }) },
		func() {
			t.Tell(&l.refreshGone, func(t *T) {
				after(t, &l.refreshGone, byRefresh(t, tokens))
				noteRefreshGrant(t, tokens) // last, for it may use the token up
			})
		},
	)
}

// noteRefreshGrant notes, for nobody judges it, whether somebody who was deactivated still gets tokens for a refresh
// token at the identity provider itself.
func noteRefreshGrant(t *T, tokens signin.Tokens) {
	if tokens.RefreshToken == "" {
		return
	}
	if _, err := t.Desk.Refresh(t, t.Recorder(), t.A(), tokens.RefreshToken); err == nil {
		t.Notef("the refresh grant still yields tokens for whoever was deactivated")
	}
}

// comeBack reactivates the leaver, who signs in again.
func (l *leaving) comeBack(t *T) (tokens signin.Tokens) {
	c := &l.reactivated
	again := func(t *T) (err error) {
		change(t, c, t.Config.Hooks.Reactivate)
		tokens, err = t.Desk.Fresh(t, t.Recorder(), leaverAsks(t))
		return err
	}
	t.Tell(c, func(t *T) {
		l.stillOut = again(t)
		if l.stillOut == nil {
			return
		}
		if err := again(t); err != nil { // whatever is judged, the person is to be back
			l.unassigned.Stopf("after a reactivation: %v", err)
			l.revoked.Stopf("after a reactivation: %v", err)
		}
	})
	together(
		func() { t.Tell(c, func(t *T) { c.After = t.Twin(usually(t, tokens)...) }) },
		func() { t.Tell(&l.revoked, func(t *T) { l.revoked.Before = t.Twin(byRefresh(t, tokens)...) }) },
	)
	l.unassigned.Follow(c)
	return tokens
}

// unassign takes the leaver's assignment to the first target away, and gives it back.
func (l *leaving) unassign(t *T, tokens signin.Tokens) {
	c := &l.unassigned
	t.Tell(c, func(t *T) { change(t, c, t.Config.Hooks.Unassign) })
	t.Tell(c, func(t *T) { after(t, c, usually(t, tokens)) })
	if _, err := hook(t, t, t.Config.Hooks.Assign, t.Leaver().Login); err != nil {
		c.Notes = append(c.Notes, "the assignment was not given back: "+err.Error())
	}
}

// revoke ends every session of the leaver.
func (l *leaving) revoke(t *T, tokens signin.Tokens) {
	c := &l.revoked
	t.Tell(c, func(t *T) { change(t, c, t.Config.Hooks.Revoke) })
	t.Tell(c, func(t *T) { after(t, c, byRefresh(t, tokens)) })
}

// change runs a hook for the leaver, unless the chapter has ended.
func change(t *T, c *Chapter, line string) {
	if c.Problem != "" {
		return
	}
	if _, err := hook(t, t, line, t.Leaver().Login); err != nil {
		c.Stopf("%v", err)
	}
}

// after sends once more what was granted before, for as long as timing.settle allows it to be granted still.
func after(t *T, c *Chapter, options []Option) {
	if c.Before == nil || !Granted(c.Before) {
		return // there is nothing to compare with
	}
	c.After = eventually(t, func() *wire.Answer { return t.Attack(options...) })
}

// judgeGone judges a chapter in which something was taken from a person.
func judgeGone(t *T, c *Chapter) {
	t.Look(c)
	if c.Before == nil {
		t.Inconclusivef("there was no honest exchange of %s to compare with", t.Leaver().Login)
	}
	if !Granted(c.Before) {
		t.Inconclusivef("the honest exchange of %s was not granted before: %s", t.Leaver().Login, c.Before.Summary())
	}
	Expect(t.Attacked(c.After)).To(server.BeRefused())
}

// together does some things at the same time.
func together(what ...func()) {
	var done sync.WaitGroup
	for _, f := range what {
		done.Go(f)
	}
	done.Wait()
}
