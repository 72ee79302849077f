package client

import (
	"strings"
	"testing"
)

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
