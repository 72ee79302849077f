package conduct

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

// unlike is an honest redemption that looks otherwise than most, where the texts demand that this makes no difference.
type unlike struct {
	slug, what, by string
	option         server.RedeemOption                                  // of the request
	craft          func(t *server.T, honest *server.Token) (jwt string) // of the ID-JAG
}

// rewritten is the ID-JAG with its claims written in another way.
func rewritten(write func(claims []byte) []byte) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		return hostile.SignBytes(honest.Key, server.JSONOf(honest.Header), write(server.JSONOf(honest.Claims)))
	}
}

// dates is the ID-JAG with its dates written in another way.
func dates(write func(seconds int64) json.Number) func(*server.T, *server.Token) string {
	return func(_ *server.T, honest *server.Token) string {
		for _, name := range []string{"iat", "exp"} {
			if seconds, ok := honest.Claims[name].(int64); ok {
				honest.Claims[name] = write(seconds)
			}
		}
		return hostile.Sign(honest)
	}
}

func indented(claims []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, claims, "", "\t") != nil {
		return claims
	}
	return out.Bytes()
}

var unlikes = []unlike{
	{slug: "form-reversed", what: "a form whose parameters stand in the other order", by: "RFC 6749 §3.2",
		option: func(r *server.Redemption) { slices.Reverse(r.Form) }},
	{slug: "form-empty", what: "a form with parameters that have no value (scope, resource)", by: "RFC 6749 §3.2",
		option: func(r *server.Redemption) {
			r.SetField("scope", "")
			r.SetField("resource", "")
		}},
	{slug: "media-type-case", what: "a form whose media type is in capitals", by: "RFC 6749 §3.2",
		option: server.HeaderField("Content-Type", "Application/X-WWW-Form-URLEncoded")},
	{slug: "dates-fraction", what: "an ID-JAG whose dates have a fraction", by: "RFC 7519 §4",
		craft: dates(func(s int64) json.Number { return json.Number(strconv.FormatInt(s, 10) + ".25") })},
	{slug: "dates-exponent", what: "an ID-JAG whose dates have an exponent", by: "RFC 7519 §4",
		craft: dates(func(s int64) json.Number {
			digits := strconv.FormatInt(s, 10)
			return json.Number(digits[:1] + "." + digits[1:] + "e" + strconv.Itoa(len(digits)-1))
		})},
	{slug: "claims-escaped", what: `an ID-JAG whose claims are written with \u escapes`, by: "RFC 7519 §4",
		craft: rewritten(func(claims []byte) []byte {
			return []byte(strings.NewReplacer(`"sub"`, `"s\u0075b"`, `"aud"`, `"\u0061ud"`).Replace(string(claims)))
		})},
	{slug: "claims-spaced", what: "an ID-JAG whose claims have white space between them", by: "RFC 7519 §4",
		craft: rewritten(indented)},
}

var _ = check.For("RAS-HAPPY", func() {
	for _, u := range unlikes {
		server.It("unlike-"+u.slug, "grants "+u.what, func(t *server.T) {
			t.Control(t.Grant())
			var assertion any = t.Grant()
			if u.craft != nil {
				assertion = u.craft(t, t.Grant())
			}
			var options []server.RedeemOption
			if u.option != nil {
				options = append(options, u.option)
			}
			if a := t.Redeem(assertion, options...); !server.Granted(a) {
				t.Failf("expected it to be granted (%s), but saw %s: honest clients and identity providers send what is written so",
					u.by, a.Summary())
			}
		}, check.Should(), check.Sends("An honest redemption as control, then "+u.what))
	}
})
