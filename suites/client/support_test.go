package client

import (
	"strings"
	"testing"
)

func TestSameRedirect(t *testing.T) {
	const registered = "http://127.0.0.1:33418/callback"
	for sent, want := range map[string]bool{
		registered:                         true,
		"http://127.0.0.1:1234/callback":   true, // RFC 8252 7.3
		"http://127.0.0.1/callback":        true,
		"http://127.0.0.1:33418/callback/": false,
		"http://127.0.0.1:33418/other":     false,
		"https://127.0.0.1:33418/callback": false,
		"http://127.0.0.2:33418/callback":  false,
		"http://localhost:33418/callback":  false,
		"http://evil.example/callback":     false,
		"":                                 false,
	} {
		if sameRedirect(sent, registered) != want {
			t.Errorf("%q counts as %s: %v, want %v", sent, registered, !want, want)
		}
	}
	if sameRedirect("app:/a", "app:/b") || !sameRedirect("app:/a", "app:/a") {
		t.Error("other schemes are compared otherwise than exactly")
	}
}

func TestCommandLineHidesSecrets(t *testing.T) {
	for args, want := range map[string]string{
		"npx|tsx|client.ts":                        "npx tsx client.ts",
		"client|--api-key|K|--verbose":             "client --api-key ‹hidden› --verbose",
		"client|--client-secret=S|x":               "client --client-secret=‹hidden› x",
		"env|API_TOKEN=T|client":                   "env API_TOKEN=‹hidden› client",
		"client|--token|--verbose|x":               "client --token --verbose x",
		"client|--mode=fast|--out=dir":             "client --mode=fast --out=dir",
		"sh|-c|API_TOKEN='a b' ./client":           "sh -c ‹hidden›",
		"sh|-c|cd client && exec ./run":            "sh -c cd client && exec ./run",
		"client|--header|Authorization: Bearer T":  "client --header ‹hidden›",
		"/home/a key/client|--authorization|T|one": "/home/a key/client --authorization ‹hidden› one",
	} {
		if got := commandLine(strings.Split(args, "|")); got != want {
			t.Errorf("%s: shown as %s, want %s", args, got, want)
		}
	}
}
