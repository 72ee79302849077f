package wire

import (
	"time"

	"github.com/emaconform/emaconform/reports"
)

// Observe records an exchange that somebody else had with a server of ours.
func (r *Recorder) Observe(req *Request, a *Answer, part reports.Part, note string, took time.Duration) {
	r.add(req, a, part, note, took)
}

// Know makes the recorder recognise a token wherever it stands: it is decoded, and replaced by a reference such as
// "‹id-jag 1›".
func (r *Recorder) Know(kind, token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.name(kind, token)
}

// Hide makes the recorder hide a secret under this name wherever it stands.
func (r *Recorder) Hide(value, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value != "" {
		r.named[value] = "‹" + name + "›"
	}
}
