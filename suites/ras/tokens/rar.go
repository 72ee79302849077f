package tokens

import (
	"encoding/json"
	"fmt"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
	"github.com/emaconform/emaconform/suites/wire"
)

// leaves are all values in a JSON value that hold no other, as text.
func leaves(value any, into map[string]bool) map[string]bool {
	switch v := value.(type) {
	case map[string]any:
		for _, member := range v {
			leaves(member, into)
		}
	case []any:
		for _, item := range v {
			leaves(item, into)
		}
	default:
		into[fmt.Sprint(v)] = true
	}
	return into
}

var _ = check.For("RAS-RAR", func() {
	rar := check.With(server.NeedsRAR)
	// honest redeems an ID-JAG with the authorization detail that may be granted.
	honest := func(t *server.T) *wire.Answer {
		return t.Control(t.Grant(server.Set(server.Details, []any{server.Detail(t, t.Config.RAR.Granted)})))
	}

	server.It("returned", "returns the authorization details that it grants", func(t *server.T) {
		object, _ := honest(t).Object()
		list, ok := object[server.Details].([]any)
		if !ok || len(list) != 1 {
			t.Failf("expected authorization_details with one object in the response (ID-JAG draft-04 4.4.1, RFC 9396 7), "+
				"but saw %s", server.Describe(object[server.Details]))
		}
		got, _ := list[0].(map[string]any)
		want := server.Detail(t, t.Config.RAR.Granted)
		Expect(got["type"]).To(Equal(want["type"]), "the detail that was granted is of another type")
		for value := range leaves(want, map[string]bool{}) {
			if !leaves(got, map[string]bool{})[value] {
				t.Notef("%s was asked for and not granted", wire.Printable(value, 80))
			}
		}
	}, rar, check.Sends("An ID-JAG with an authorization detail that the target grants"))

	server.It("unknown-type", "grants no authorization detail of a type that it does not know", func(t *server.T) {
		honest(t)
		unknown := map[string]any{"type": "emaconform_unknown", "actions": []any{"everything"}}
		a := t.Attack(t.Grant(server.Set(server.Details, []any{unknown})))
		if !server.Granted(a) {
			Expect(a).To(server.BeRefused())
			return
		}
		if leaves(server.GrantedDetails(t, a), map[string]bool{})["emaconform_unknown"] {
			t.Failf("expected a refusal (RFC 9396 5), but an authorization detail of an unknown type was granted")
		}
		t.Warnf("the authorization detail of an unknown type was dropped and the rest granted: that may be too much")
	}, rar, check.Sends("An ID-JAG with an authorization detail of an unknown type, after one of a known type as control"))

	for _, malformed := range []struct {
		slug, what string
		value      func(granted map[string]any) any
	}{
		{"object", "authorization_details that are an object, not an array", func(d map[string]any) any { return d }},
		{"string", "authorization_details that are a string of JSON", func(d map[string]any) any {
			raw, _ := json.Marshal([]any{d})
			return string(raw)
		}},
	} {
		server.It(malformed.slug, "refuses an ID-JAG with "+malformed.what, func(t *server.T) {
			honest(t)
			server.ExpectRefused(t,
				t.Attack(t.Grant(server.Set(server.Details, malformed.value(server.Detail(t, t.Config.RAR.Granted))))),
				server.InvalidDetails, server.InvalidGrant, server.InvalidRequest)
		}, rar, check.Sends("An ID-JAG with "+malformed.what+", after one with an array as control"))
	}

	server.It("resource", "looks at resource also where there are authorization details", func(t *server.T) {
		honest(t)
		details := server.Set(server.Details, []any{server.Detail(t, t.Config.RAR.Granted)})
		server.ExpectRefused(t, t.Attack(t.Grant(details, server.Set("resource", "https://mcp.foreign.example/mcp"))),
			server.InvalidTarget, server.InvalidGrant)
	}, rar, server.Refusal(server.InvalidTarget, server.InvalidGrant),
		check.Sends("An ID-JAG with an authorization detail that the target grants as control, then for a resource of "+
			"somebody else"))

	server.It("wider", "grants no more than the ID-JAG's authorization details when asked for more", func(t *server.T) {
		granted, wider := server.Detail(t, t.Config.RAR.Granted), server.Detail(t, t.Config.RAR.Wider)
		honest(t)
		ask, _ := json.Marshal([]any{wider})
		a := t.Attack(t.Grant(server.Set(server.Details, []any{granted})), server.Param(server.Details, string(ask)))
		if !server.Granted(a) {
			Expect(a).To(server.BeRefused())
			return
		}
		within, more := leaves(granted, map[string]bool{}), leaves(wider, map[string]bool{})
		for value := range leaves(server.GrantedDetails(t, a), map[string]bool{}) {
			if more[value] && !within[value] {
				t.Failf("expected no more than the ID-JAG's authorization details, but %q was granted", wire.Printable(value, 80))
			}
		}
	}, rar, check.With(needsWider),
		check.Sends("An ID-JAG with an authorization detail and a request for a wider one, after it alone as control"))
})

var needsWider = server.Need("rar.wider", "needs an authorization detail that is wider than rar.granted",
	func(w *server.World) bool { return w.Config.RAR != nil && w.Config.RAR.Wider != "" })

var _ = check.For("RAS-RAR", func() {
	server.It("foreign-member", "grants no member of an authorization detail that it does not know", func(t *server.T) {
		t.Control(t.Grant(server.Set(server.Details, []any{server.Detail(t, t.Config.RAR.Granted)})))
		const mark = "emaconform-everything"
		d := server.Detail(t, t.Config.RAR.Granted)
		d["emaconform_unknown"] = []any{mark}
		a := t.Attack(t.Grant(server.Set(server.Details, []any{d})))
		if server.Granted(a) && leaves(server.GrantedDetails(t, a), map[string]bool{})[mark] {
			t.Failf("an authorization detail was granted with a member that nobody knows: what reads it later may (RFC 9396 5)")
		}
	}, check.With(server.NeedsRAR),
		check.Sends("An authorization detail with a member that its type does not have, after one without as control"))
})
