package reports

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	old, now := sampleWith(Pass, Fail, Fail, Warn, Pass, Skip), sampleWith(Fail, Pass, Fail, Inconclusive, Pass)
	old.Checks[2].Message, now.Checks[2].Message = "saw ‹id-jag 1›", "saw ‹id-jag 2› and 200"
	var b strings.Builder
	worse, err := Diff(&b, old, now)
	if err != nil || !worse {
		t.Errorf("worse %v, %v", worse, err)
	}
	for _, want := range []string{"New failures: 1", "**R/0** pass → fail", "Fixed: 1", "**R/1** fail → pass",
		"Other evidence: 1",
		"**R/3** warn → inconclusive", "**R/5** was skip", "### Coverage"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	b.Reset()
	now = sample()
	now.Catalogue.Digest = Digest([]byte("another"))
	if _, err := Diff(&b, sample(), now); err != nil || !strings.Contains(b.String(), "different catalogues: "+
		sample().Catalogue.String()+" and "+now.Catalogue.String()) || now.Catalogue.String() == sample().Catalogue.String() {
		t.Errorf("%v: it does not tell the catalogues apart:\n%s", err, &b)
	}
	b.Reset()
	if worse, err := Diff(&b, sample(), sample()); worse || err != nil ||
		!strings.Contains(b.String(), "No check differs.") {
		t.Errorf("worse %v, %v:\n%s", worse, err, &b)
	}
}

func TestBadgeIsXML(t *testing.T) {
	for _, r := range []*Report{sample(), poisoned()} {
		var b strings.Builder
		if err := WriteBadge(&b, r); err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in\n%s", err, &b)
			}
		}
		if !strings.Contains(b.String(), string(r.Verdict)) {
			t.Errorf("it does not say the verdict:\n%s", &b)
		}
	}
}
