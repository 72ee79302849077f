package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// UpstreamPath is where, beside the control API, the upstream service that we play is asked.
const UpstreamPath = "/upstream/holds"

// Upstream says what the upstream service has seen: how many requests, and whether one of them holds a text.
type Upstream struct {
	Requests int  `json:"requests"`
	Holds    bool `json:"holds"`
}

// AskUpstream makes the function that asks the parent process at this control URL.
func AskUpstream(control, secret string) func(context.Context, string) (Upstream, error) {
	return func(ctx context.Context, text string) (seen Upstream, err error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, control+UpstreamPath, strings.NewReader(text))
		if err != nil {
			return seen, err
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			return seen, err
		}
		defer func() { _ = a.Body.Close() }()
		if a.StatusCode != http.StatusOK {
			return seen, fmt.Errorf("HTTP %d", a.StatusCode)
		}
		return seen, json.NewDecoder(a.Body).Decode(&seen)
	}
}
