package reports

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// poison is what a hostile target would like a reader's program to take for more than text.
const poison = "</script><script>document.documentElement.id='owned'</script>" +
	`<img src=x onerror="document.documentElement.id='owned'">"'` +
	"]]><!-- --> &lt; {{.}} | a | b |`code` **bold** [link](javascript:alert(1)) @octocat www.evil.example " +
	"https://evil.example/ $(id) ${HOME} `id` ' \x1b[31mred\x1b]0;title\a\x00\x08\x7f\u009b \u202eright\u202c \u200b" +
	"\ufeff\u2028\r\n::error::from the target\n##[error]x ##vso[task]x\n# heading\n- item\n1. one\t\xff\xfe " +
	"‹id-jag 1› ‹path›"

// poisoned is a report with poison wherever a string may be anything.
func poisoned() *Report {
	n := 0
	r := &Report{}
	fill(reflect.ValueOf(r).Elem(), &n)
	r.Started = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	r.Checks[0].ID += "/expected"
	r.NotRun[0].ID += "/not run"
	for i, o := range Outcomes {
		c := r.Checks[0]
		c.ID, c.Outcome = fmt.Sprintf("%s/%d", poison, i), o
		c.Expected = ""
		r.Checks = append(r.Checks, c)
	}
	Finish(r)
	return r
}

// fill sets every string below v, in lists of three, and every other value to something that is not zero.
func fill(v reflect.Value, n *int) {
	switch target := v.Addr().Interface().(type) {
	case *time.Time:
		return
	case *http.Header:
		*target = http.Header{"X-Hostile": {poison}, poison: {poison}, "Authorization": {"Bearer ‹access token 1›"}}
		return
	case *Outcome:
		*target = Fail
		return
	case *Verdict:
		*target = NotConformant
		return
	case *Severity:
		*target = High
		return
	case *Part:
		*n++
		*target = []Part{Control, Attack, Setup}[*n%3]
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(poison)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(200)
	case reflect.Float64:
		v.SetFloat(1.25)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		length := 3
		if e := v.Type().Elem(); e == reflect.TypeFor[Check]() || e == reflect.TypeFor[Requirement]() ||
			e == reflect.TypeFor[NotRun]() {
			length = 1 // their ids are names, and must differ
		}
		v.Set(reflect.MakeSlice(v.Type(), length, length))
		for i := range length {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch name := v.Type().Field(i).Name; {
			case name == "Level":
				v.Field(i).SetString("MUST")
			case name == "Address":
				v.Field(i).SetString(AddressPublic)
			case strings.HasSuffix(name, "Digest"):
				v.Field(i).SetString(Digest([]byte(poison)))
			default:
				fill(v.Field(i), n)
			}
		}
	}
}
