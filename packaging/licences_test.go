package packaging_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// licences are known by phrases of their texts; that of BSD-2-Clause stands in BSD-3-Clause, too.
var licences = []struct{ name, phrase string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"Apache-2.0", "Apache License, Version 2.0"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from this software"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms, with or without modification, are permitted"},
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.\w+)?$`)
	blanks      = regexp.MustCompile(`[\s>]+`) // one is quoted
)

// licenceIn is the licence of a module that lies in a directory, an error where none is recognised.
func licenceIn(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		if !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return "", err
		}
		var names []string // some files hold two
		for _, l := range licences {
			known := slices.Contains(names, l.name) || l.name == "BSD-2-Clause" && slices.Contains(names, "BSD-3-Clause")
			if !known && strings.Contains(blanks.ReplaceAllString(string(text), " "), l.phrase) {
				names = append(names, l.name)
			}
		}
		if len(names) > 0 {
			return strings.Join(names, " and "), nil
		}
	}
	return "", fmt.Errorf("no licence that is known in %s", dir)
}

// THIRD_PARTY.txt names the licence of every module that is linked into the program, on each system that it is released
// for.
func TestLicencesOfModules(t *testing.T) {
	t.Parallel()
	found := map[string]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f",
			"{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", "../cmd/emaconform")
		list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			path, dir, ok := strings.Cut(strings.TrimSpace(line), " ")
			if !ok || found[path] != "" {
				continue
			}
			if found[path], err = licenceIn(dir); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	var want strings.Builder
	want.WriteString("Modules that are linked into emaconform, and their licences:\n\n")
	for _, path := range slices.Sorted(maps.Keys(found)) {
		fmt.Fprintf(&want, "%-48s %s\n", path, cmp.Or(found[path], "unknown"))
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("THIRD_PARTY.txt", []byte(want.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("THIRD_PARTY.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want.String() {
		t.Error("THIRD_PARTY.txt is not what is linked; write it with UPDATE=1 go test -run LicencesOfModules ./packaging")
	}
}
