package conduct

import (
	"bytes"
	"io"
	"os"
	"time"

	"github.com/emaconform/emaconform/mockidp/hostile"
	"github.com/emaconform/emaconform/suites/check"
	"github.com/emaconform/emaconform/suites/server"
)

const (
	maxLog  = 16 << 20        // bytes of the log that are read
	logWait = 2 * time.Second // until the target has written about a request
)

var _ = check.For("RAS-NO-LOG", func() {
	server.It("assertion", "writes no whole ID-JAG to its log", func(t *server.T) {
		granted, refused := hostile.Sign(t.Grant()), hostile.FlipSignature(hostile.Sign(t.Grant()))
		written := logged(t, func() {
			t.Control(granted)
			t.Attack(refused)
		})
		for what, assertion := range map[string]string{"that was granted": granted, "that was refused": refused} {
			if bytes.Contains(written, []byte(assertion)) {
				t.Failf("%s holds a whole ID-JAG %s: everybody who reads logs can sign in as the user",
					t.Config.LogFile, what)
			}
		}
	}, check.Serial(), check.With(server.NeedsLog),
		check.Sends("An honest ID-JAG and one with a spoiled signature; the target's log is searched for both"))

	server.It("credentials", "writes neither the access token nor the client's secret to its log", func(t *server.T) {
		var token string
		written := logged(t, func() { token = t.Control(t.Grant()).String("access_token") })
		for what, secret := range map[string]string{"the access token": token, "the client's secret": t.Client(0).Secret} {
			if secret != "" && bytes.Contains(written, []byte(secret)) {
				t.Failf("%s holds %s", t.Config.LogFile, what)
			}
		}
	}, check.Serial(), check.With(server.NeedsLog),
		check.Sends("An honest ID-JAG; the target's log is searched for the secrets that came and went"))
})

// logged is what the target writes to its log because of some requests, while no other check runs. It ends the check
// when that is nothing.
func logged(t *server.T, send func()) []byte {
	file, err := os.Open(t.Config.LogFile)
	if err != nil {
		t.Inconclusivef("cannot read log_file: %v", err)
	}
	defer file.Close()
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		t.Inconclusivef("cannot read log_file: %v", err)
	}
	send()
	var written []byte
	t.Within(logWait, func() bool {
		more, err := io.ReadAll(io.LimitReader(file, maxLog))
		if err != nil {
			t.Inconclusivef("cannot read log_file: %v", err)
		}
		written = append(written, more...)
		return len(more) == 0 && len(written) > 0 || len(written) > maxLog // it has been quiet for a while
	})
	if len(written) == 0 {
		t.Inconclusivef("the target wrote nothing to %s within %s: is that its log?", t.Config.LogFile, logWait)
	}
	return written
}
