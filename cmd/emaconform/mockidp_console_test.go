package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMockIdPServesItsConsole(t *testing.T) {
	for flag, want := range map[string]string{"--console": "Read-only.", "--console=write": "Write mode."} {
		isLine := func(line string) bool { return strings.HasPrefix(line, "console ") }
		_, address, _ := strings.Cut(startMockIdP(t, isLine, flag), "\nconsole ")
		res, err := http.Get(strings.TrimSpace(address))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: the console answers %s, expected a page that says %q (%v)", flag, res.Status, want, err)
		}
	}
}

func TestMockIdPRefusesAnUnknownConsole(t *testing.T) {
	c := newMockIdP()
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs([]string{"--console=maybe", "--listen", "127.0.0.1:0"})
	if err := c.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "expected read or write") {
		t.Errorf("--console=maybe: %v, expected an error that says what is possible", err)
	}
}
