package client

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/emaconform/emaconform/suites/client/world"
)

// basicAuth are the Basic credentials of a request, form-decoded (RFC 6749 2.3.1).
func basicAuth(s world.Seen) (id, secret string, ok bool) {
	encoded, ok := strings.CutPrefix(s.Header.Get("Authorization"), "Basic ")
	if !ok {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	a, b, _ := strings.Cut(string(raw), ":")
	id, errID := url.QueryUnescape(a)
	secret, errSecret := url.QueryUnescape(b)
	return id, secret, errID == nil && errSecret == nil
}

// hasAll reports whether a scope has all of these values.
func hasAll(scope string, values ...string) bool {
	have := strings.Fields(scope)
	return !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(have, v) })
}
