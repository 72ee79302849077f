package target_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/emaconform/emaconform/fixtures/samples"
	"github.com/emaconform/emaconform/suites/target"
)

// The sample shows every key, and none that does not exist.
func TestTheSampleIsComplete(t *testing.T) {
	g := NewWithT(t)
	_, err := target.Load(write(t, "ema.yaml", samples.Server))
	g.Expect(err).NotTo(HaveOccurred())
	for _, key := range keys(reflect.TypeFor[target.Config]()) {
		g.Expect(samples.Server).To(MatchRegexp(`[{\s#,]`+key+`\b`), "the sample does not mention %s", key)
	}
}

// keys are the YAML keys of a configuration type.
func keys(typ reflect.Type) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		return nil
	}
	var list []string
	for f := range typ.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			list = append(list, append([]string{name}, keys(f.Type)...)...)
		}
	}
	return list
}
