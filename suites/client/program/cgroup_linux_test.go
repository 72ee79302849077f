package program

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/emaconform/emaconform/suites/client/world"
)

// bomb is a script that starts itself anew, in a session of its own and without an environment, again and again: each
// process says in a file that it is there, starts one other and ends, so that a bomb which is not defused is a small
// one, and is over some day.
const bomb = `echo >> "$1"; [ "$2" -gt 0 ] && setsid env -i /bin/sh "$0" "$1" $(($2 - 1)) &`

// groupings are where our own control group is found: as it is, and nowhere.
func groupings() map[string]func() string {
	return map[string]func() string{"in a control group": ownCgroup, "without": func() string { return "" }}
}

// A fork bomb ends with its client, although none of its processes lives for longer than it takes to start the next
// one.
func TestForkBombsEndWithTheirClient(t *testing.T) {
	script := filepath.Join(t.TempDir(), "bomb")
	if err := os.WriteFile(script, []byte(bomb), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, group := range groupings() {
		t.Run(name, func(t *testing.T) {
			defer func(was func() string) { ownCgroup = was }(ownCgroup)
			ownCgroup = group
			if g := newCgroup(); g != nil {
				g.close()
			} else if group() != "" {
				t.Skip("this machine lets us make no control groups")
			}
			w := honest(t)
			trace, other := t.TempDir()+"/trace", t.TempDir()+"/other"
			c := Command{Timeout: time.Minute, Args: []string{"/bin/sh", "-c",
				`for i in 1 2 3 4 5 6 7 8; do /bin/sh "$0" "$1" 9999; done; sleep 600`, script, trace}}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan *Attempt)
			go func() { ended <- c.Run(ctx, w) }()
			for size(trace) < 200 { // it spreads
				time.Sleep(time.Millisecond)
			}
			cancel()
			<-ended
			was := size(trace)
			if err := exec.Command("/bin/sh", script, other, "50").Run(); err != nil {
				t.Fatal(err)
			}
			for size(other) < 51 { // for as long as it would take to go on
				time.Sleep(time.Millisecond)
			}
			if now := size(trace); now > was {
				t.Errorf("it outlives its client: %d more processes", now-was)
			}
		})
	}
}

// A client with too many processes is stopped, whether they are its children still or have left it.
func TestTooManyProcesses(t *testing.T) {
	defer func(was int) { mostProcesses = was }(mostProcesses)
	mostProcesses = 20
	for name, group := range groupings() {
		t.Run(name, func(t *testing.T) {
			defer func(was func() string) { ownCgroup = was }(ownCgroup)
			ownCgroup = group
			c := Command{Timeout: time.Minute, Args: []string{"/bin/sh", "-c",
				`for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 600 & setsid sleep 600 & done; [ "$i" = 11 ] && wait`}}
			a := c.Run(t.Context(), honest(t))
			if !a.Crowded || !a.Stopped() || a.Summary() != "it started more than 20 processes and was stopped" {
				t.Errorf("%s", a.Summary())
			}
		})
	}
}

// honest is a world that a client may be run in.
func honest(t *testing.T) *world.World {
	t.Helper()
	w, err := world.New(world.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// The group of a process is found where the hierarchy of version 2 is mounted, alone or beside others, whole or a part.
func TestFindCgroup(t *testing.T) {
	const unified = "25 18 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	for name, c := range map[string]struct{ mounts, groups, want string }{
		"whole": {unified, "0::/user.slice/user-1000.slice/session-2.scope\n",
			"/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope"},
		"the root": {unified, "0::/\n", "/sys/fs/cgroup"},
		"beside others": {"30 28 0:27 / /sys/fs/cgroup/pids rw shared:9 - cgroup cgroup rw,pids\n" +
			"31 28 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "4:pids:/a\n0::/b\n", "/sys/fs/cgroup/unified/b"},
		"a container's part": {"9 8 0:22 /docker/0a1b /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "0::/docker/0a1b/x\n",
			"/sys/fs/cgroup/x"},
		"outside of the part": {"9 8 0:22 /docker/0a1b /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "0::/docker\n", ""},
		"none":                {"9 8 0:5 / / rw - ext4 /dev/vda rw\n", "0::/\n", ""},
		"version 1":           {"30 28 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n", "4:pids:/a\n", ""},
	} {
		if got := findCgroup([]byte(c.mounts), []byte(c.groups)); got != c.want {
			t.Errorf("%s: %q, expected %q", name, got, c.want)
		}
	}
}

// What the kernel offers of a group is used, and what it does not offer is no mistake.
func TestGroupFiles(t *testing.T) {
	g := &cgroup{dir: t.TempDir()}
	g.end() // there is no cgroup.kill
	if g.members() != nil {
		t.Error("there are members of nothing")
	}
	for name, text := range map[string]string{
		"cgroup.kill": "", "cgroup.procs": "7\n12\n", "cgroup.events": "populated 0\n",
	} {
		if err := os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.end()
	if raw, err := os.ReadFile(filepath.Join(g.dir, "cgroup.kill")); err != nil || string(raw) != "1" {
		t.Errorf("%q was written, %v", raw, err)
	}
	if got := g.members(); !slices.Equal(got, []int{7, 12}) {
		t.Errorf("members are %v", got)
	}
	(*cgroup)(nil).end()
	(*cgroup)(nil).close()
}

func size(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}
