package inspect

import (
	"time"

	"github.com/emaconform/emaconform/mockidp"
)

// date reads a claim that is a time. problem is "" when it is one.
func (t *token) date(name string) (at time.Time, problem string) {
	value, there := t.claims.get(name)
	if !there {
		return at, "There is no " + name + "."
	}
	at, err := numericDate(value)
	if err != nil {
		return at, name + " is " + err.Error() + "."
	}
	return at, ""
}

func notExpired(t *token, idp Provider) (Outcome, string) {
	at, problem := t.date("exp")
	left := at.Sub(idp.Now)
	switch {
	case problem != "":
		return Problem, problem
	case left <= -leeway:
		return Problem, "Expired " + distance(left) + "."
	case left <= 0:
		return Depends, "Expired " + distance(left) + ": a RAS may allow for clocks that differ."
	}
	return OK, "Expires " + distance(left) + "."
}

func issuedBefore(t *token, idp Provider) (Outcome, string) {
	at, problem := t.date("iat")
	ahead := at.Sub(idp.Now)
	switch {
	case problem != "":
		return Problem, problem
	case ahead > leeway:
		return Problem, "Made " + distance(ahead) + ": it is not to be taken before."
	case ahead > 0:
		return Depends, "Made " + distance(ahead) + ": a RAS may allow for clocks that differ."
	}
	return OK, "Made " + distance(ahead) + "."
}

func begun(t *token, idp Provider) (Outcome, string) {
	if _, there := t.claims.get("nbf"); !there {
		return OK, "There is none."
	}
	at, problem := t.date("nbf")
	switch {
	case problem != "":
		return Problem, problem
	case at.Sub(idp.Now) > leeway:
		return Problem, "Begins " + distance(at.Sub(idp.Now)) + "."
	}
	return OK, ""
}

// leeway is how far clocks may be apart.
const leeway = time.Minute

// longest is the lifetime beyond which a RAS does well to refuse.
const longest = time.Hour

func shortLived(t *token, _ Provider) (Outcome, string) {
	from, noStart := t.date("iat")
	to, noEnd := t.date("exp")
	if noStart != "" || noEnd != "" {
		return Problem, "It cannot be told without iat and exp."
	}
	life := to.Sub(from)
	switch {
	case life <= 0:
		return Problem, "exp is not after iat."
	case life > longest:
		return Problem, span(life) + ": whoever steals it has all that time."
	case life > mockidp.IDJAGLifetime:
		return Depends, span(life) + ": longer than the five minutes that are usual."
	}
	return OK, span(life) + "."
}
