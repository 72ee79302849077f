package inspect

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/directory"
)

func sayAlgorithm(_ *token, value any, _ Provider) string {
	alg, _ := value.(string)
	if !slices.Contains(allowed, alg) {
		return "not one that a RAS takes"
	}
	return map[byte]string{'R': "RSA", 'P': "RSA-PSS", 'E': "elliptic curve"}[alg[0]]
}

func sayKey(t *token, value any, idp Provider) string {
	kid, _ := value.(string)
	keys, ours := idp.Keys(t.claims.text("iss"))
	found := keys.Key(kid)
	switch {
	case !ours:
		return ""
	case len(found) == 0:
		return "no key of this issuer"
	case keys.Keys[0].KeyID == kid:
		return "the key in use"
	}
	return "an earlier key, still published"
}

func sayIssuer(_ *token, value any, idp Provider) string {
	iss, _ := value.(string)
	_, ours := idp.Keys(iss)
	switch {
	case iss == idp.Issuer:
		return "this identity provider"
	case ours:
		return "a custom authorization server of this identity provider"
	case strings.TrimSuffix(iss, "/") == strings.TrimSuffix(idp.Issuer, "/"):
		return "almost this identity provider: a slash at the end makes it another issuer"
	}
	return "not this identity provider"
}

func saySubject(t *token, _ any, idp Provider) string {
	u := t.user(idp)
	if u == nil {
		return "nobody in this directory"
	}
	name := u.Login
	if u.Name != "" {
		name = u.Name + ", " + u.Login
	}
	if !u.Status.OK() {
		name += ", " + string(u.Status)
	}
	return name
}

// user finds whom sub names, in whatever style.
func (t *token) user(idp Provider) *directory.User {
	sub := t.claims.text("sub")
	if sub == "" {
		return nil
	}
	audience, _ := single(t.claims, "aud")
	connector := idp.Directory.Audience(audience)
	for n := range idp.Directory.Users {
		u := &idp.Directory.Users[n]
		if connector != nil && u.Accounts[connector.ID].Subject == sub {
			return u
		}
		for _, style := range subjectStyles {
			if mockidp.Subject(style, u, audience) == sub {
				return u
			}
		}
	}
	return nil
}

var subjectStyles = []directory.SubjectStyle{directory.SubjectID, directory.SubjectLogin, directory.SubjectEmail,
	directory.SubjectUUID, directory.SubjectPairwise}

func sayAudience(t *token, _ any, idp Provider) string {
	audience, ok := single(t.claims, "aud")
	if !ok {
		return ""
	}
	if k := idp.Directory.Client(audience); k != nil {
		return "the client " + title(k.Name, k.ID)
	}
	r := idp.Directory.Audience(audience)
	switch {
	case r == nil:
		return "no connector and no client here"
	case r.Audience != audience:
		return "an alias of the connector " + title(r.Name, r.ID) + ", and no issuer identifier"
	}
	return "the RAS of the connector " + title(r.Name, r.ID)
}

func sayClient(t *token, value any, idp Provider) string {
	r := t.connector(idp)
	if r == nil {
		return ""
	}
	k := clientAt(r, value, idp)
	if k == nil {
		return "no client that is connected to " + title(r.Name, r.ID)
	}
	return "the client " + title(k.Name, k.ID) + " at " + title(r.Name, r.ID)
}

// clientAt is the client that has this id at the connector's RAS, nil when none has.
func clientAt(r *directory.Connector, id any, idp Provider) *directory.Client {
	for _, c := range idp.Directory.Connections {
		if c.Connector == r.ID && c.ClientID == id {
			return idp.Directory.Client(c.Client)
		}
	}
	return nil
}

func sayClientHere(_ *token, value any, idp Provider) string {
	id, _ := value.(string)
	if k := idp.Directory.Client(id); k != nil {
		return title(k.Name, k.ID)
	}
	return "no client here"
}

// connector is the one whose RAS the token is for, the first where it names several; nil when there is none.
func (t *token) connector(idp Provider) *directory.Connector {
	audiences, _ := texts(t.claims, "aud")
	for _, a := range audiences {
		if r := idp.Directory.Audience(a); r != nil && r.Audience == a {
			return r
		}
	}
	return nil
}

func sayResource(t *token, _ any, idp Provider) string {
	r := t.connector(idp)
	if _, ok := texts(t.claims, "resource"); r == nil || !ok {
		return ""
	}
	if t.foreignResource(r) {
		return "not of the connector " + title(r.Name, r.ID)
	}
	return "of the connector " + title(r.Name, r.ID)
}

// foreignResource reports whether the token names a resource that is not the connector's.
func (t *token) foreignResource(r *directory.Connector) bool {
	resources, _ := texts(t.claims, "resource")
	return slices.ContainsFunc(resources, func(x string) bool { return !slices.Contains(r.Resources, x) })
}

// methods are words for values of amr (RFC 8176 section 2; the last two are Okta's).
var methods = map[string]string{
	"pwd": "password", "mfa": "several factors", "otp": "one-time password", "sms": "text message", "pin": "PIN",
	"hwk": "key in hardware", "swk": "key in software", "fpt": "fingerprint", "face": "face", "kba": "questions",
	"user": "presence of the user", "phr": "phishing-resistant", "phrh": "phishing-resistant in hardware",
}

func sayMethods(t *token, _ any, _ Provider) string {
	list, _ := texts(t.claims, "amr")
	var out []string
	for _, m := range list {
		if said := methods[m]; said != "" {
			out = append(out, said)
		}
	}
	return strings.Join(out, ", ")
}

func sayTime(_ *token, value any, idp Provider) string {
	at, err := numericDate(value)
	if err != nil {
		return err.Error()
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC") + ", " + distance(at.Sub(idp.Now))
}

// numericDate reads seconds since 1970 (RFC 7519 section 2).
func numericDate(value any) (time.Time, error) {
	n, isNumber := value.(json.Number)
	if !isNumber {
		return time.Time{}, fmt.Errorf("%s, expected a number of seconds since 1970", kindOf(value))
	}
	seconds, err := n.Float64()
	if err != nil || math.Abs(seconds) > 253402300799 { // the end of the year 9999
		return time.Time{}, fmt.Errorf("a number beyond any date")
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), nil
}

// distance says how far away a time is, in two units at most.
func distance(d time.Duration) string {
	text := "in " + span(d)
	if d < 0 {
		text = span(-d) + " ago"
	}
	return text
}

func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 365*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= day:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// single is a claim that is to have one value: a string, or an array of one.
func single(o object, name string) (string, bool) {
	list, ok := texts(o, name)
	if !ok || len(list) != 1 {
		return "", false
	}
	return list[0], true
}

// texts is a claim that is a string or an array of strings.
func texts(o object, name string) ([]string, bool) {
	value, _ := o.get(name)
	if s, isText := value.(string); isText {
		return []string{s}, true
	}
	list, isList := value.([]any)
	if !isList {
		return nil, false
	}
	out := make([]string, 0, len(list))
	for _, x := range list {
		s, isText := x.(string)
		if !isText {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

func title(name, id string) string {
	if name == "" {
		return id
	}
	return name
}
