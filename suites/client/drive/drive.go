package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Client is a client that can be driven.
type Client struct {
	Name    string // of its preset
	Command string // by which PATH finds it
	Install string // how its user comes by it, for an error message
	// ConnectsOnly says that its command line has no way to use the server's tools: a connection is all that is to be had.
	ConnectsOnly bool

	probes []probe
	// steps are the commands for one scenario.
	steps func(*scenario) ([]step, error)
}

// probe is a command that a usable client answers.
type probe struct {
	args, environment []string
	wants             []string // words of the answer
	missing           string   // what is to be said when they are not there, of the version that was found
}

// step is one command of the client.
type step struct {
	args, environment []string
	terminal          bool // it wants one
}

// scenario is what one run of a client is configured with.
type scenario struct {
	server   string
	dir      string // for files of configuration
	callback string // host and port of a listener for logins, free a moment ago
	settings
}

// settings are the members of MCP_CONFORMANCE_CONTEXT that count here.
type settings struct {
	ClientID        string `json:"client_id"`
	ClientSecret    string `json:"client_secret"`
	IdPClientID     string `json:"idp_client_id"`
	IdPClientSecret string `json:"idp_client_secret"`
	IdPIssuer       string `json:"idp_issuer"`
	CAFile          string `json:"ca_file"`
	IDToken         string `json:"idp_id_token"`
	Login           bool   `json:"idp_login"` // the user can be asked to log in
}

var clients = []Client{claudeCode, mcpInspector}

// Find returns the client of a preset; ok is false where that has no command line.
func Find(name string) (c Client, ok bool) {
	i := slices.IndexFunc(clients, func(c Client) bool { return c.Name == name })
	if i < 0 {
		return Client{}, false
	}
	return clients[i], true
}

// patience is how long a client may take to say what it can do.
const patience = 3 * time.Minute

// Locate finds the installation of a client, by PATH or where path says, and makes sure that it can be driven. The
// error says what is missing: not installed, too old, the feature switched off.
func (c Client) Locate(ctx context.Context, path string) (string, error) {
	if path == "" {
		path = c.Command
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: there is no command %s (%s, or name it behind --)", c.Name, path,
			c.Install)
	}
	if found, err = filepath.Abs(found); err != nil {
		return "", err
	}
	home, err := os.MkdirTemp("", "emaconform-probe-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(home) }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, p := range c.probes {
		out := answer(ctx, found, home, p)
		if ctx.Err() != nil { // it may be the machine that is slow: this says nothing of the version
			return "", fmt.Errorf("%s (%s) did not answer to %q within %s", c.Name, found, strings.Join(p.args, " "),
				patience)
		}
		lacks := slices.IndexFunc(p.wants, func(w string) bool { return !strings.Contains(out, w) })
		if lacks >= 0 {
			version := strings.TrimSpace(answer(ctx, found, home, probe{args: []string{"--version"}}))
			version, _, _ = strings.Cut(version, "\n")
			return "", fmt.Errorf("%s (%s, version %q) cannot be driven: %s", c.Name, found, version, p.missing)
		}
	}
	return found, nil
}

// answer is all that a command of the client prints, in a home directory that is empty.
func answer(ctx context.Context, path, home string, p probe) string {
	cmd := exec.CommandContext(ctx, path, p.args...)
	cmd.Dir, cmd.Env = home, slices.Concat(basics(), homeAt(home), p.environment)
	cmd.WaitDelay = time.Second
	out, _ := cmd.CombinedOutput() // what it says counts, not how it ends
	return string(out)
}

// basics are the variables of this environment that a driven client gets: how to find programs, and no secret.
func basics() []string {
	var list []string
	for _, name := range []string{"PATH", "LANG", "BROWSER", "TMPDIR", "SYSTEMROOT"} {
		if value, ok := os.LookupEnv(name); ok {
			list = append(list, name+"="+value)
		}
	}
	return append(list, "TERM=xterm", "NO_COLOR=1", "CI=")
}

// homeAt makes a client take a directory for its user's home.
func homeAt(dir string) []string {
	at := func(name string) string { return filepath.Join(dir, name) }
	return []string{
		"HOME=" + dir, "USERPROFILE=" + dir, "XDG_CONFIG_HOME=" + at(".config"), "XDG_DATA_HOME=" + at(".local/share"),
		"XDG_STATE_HOME=" + at(".local/state"), "XDG_CACHE_HOME=" + at(".cache"), "APPDATA=" + at("AppData"),
	}
}

// variable makes a process of this program a driver.
const variable = "EMACONFORM_INTERNAL_DRIVER"

// order is what a driver is told by its variable.
type order struct {
	Client   string   // "" puts a command before a terminal, and does nothing else
	Path     string   // of the client
	Given    bool     // seed the client with the scenario's ID token, where it has one: no login
	Terminal []string // the command that wants a terminal
}

// Options says how a client is driven.
type Options struct {
	// Given lets the client begin with a login that has been: its own store holds the scenario's ID token.
	Given bool
}

// Drive is the command line and the environment of a process that drives the client at this path: this program, which
// must call Main first thing.
func (c Client) Drive(path string, o Options) (args, environment []string, err error) {
	return command(order{Client: c.Name, Path: path, Given: o.Given})
}

// BeforeTerminal is the command line and the environment of a process that runs a command, with the arguments that are
// put behind, before a terminal of its own.
func BeforeTerminal(args []string) (wrapped, environment []string, err error) {
	return command(order{Terminal: args})
}

func command(o order) (args, environment []string, err error) {
	encoded, err := json.Marshal(o)
	if err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	return []string{self}, []string{variable + "=" + string(encoded)}, err
}

// Main turns this process into a driver when Drive's environment says so, and then does not return.
func Main() {
	encoded, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	_ = os.Unsetenv(variable) // what it starts is none
	code, err := obey(encoded)
	if err != nil {
		fmt.Fprintln(os.Stderr, "emaconform's driver: "+err.Error())
		code = 1
	}
	os.Exit(code)
}

func obey(encoded string) (exit int, err error) {
	var o order
	if err := json.Unmarshal([]byte(encoded), &o); err != nil {
		return 1, err
	}
	if o.Client == "" {
		return start(append(o.Terminal, os.Args[1:]...), os.Environ(), "", true)
	}
	c, ok := Find(o.Client)
	if !ok || len(os.Args) < 2 {
		return 1, errors.New("expected a client, and the URL of the MCP server as last argument")
	}
	s := &scenario{server: os.Args[len(os.Args)-1]}
	if err := json.Unmarshal([]byte(os.Getenv("MCP_CONFORMANCE_CONTEXT")), &s.settings); err != nil {
		return 1, errors.New("MCP_CONFORMANCE_CONTEXT holds no JSON object")
	}
	if !o.Given {
		s.IDToken = ""
	}
	if s.dir, err = os.MkdirTemp("", "drive-"); err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	if s.callback, err = freePort(); err != nil {
		return 1, err
	}
	steps, err := c.steps(s)
	if err != nil {
		return 1, err
	}
	environment := slices.Concat(basics(), homeAt(os.Getenv("HOME")))
	for _, name := range []string{"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"} {
		if s.CAFile != "" {
			environment = append(environment, name+"="+s.CAFile)
		}
	}
	for _, step := range steps {
		exit, err = start(append([]string{o.Path}, step.args...), append(slices.Clone(environment), step.environment...),
			s.dir, step.terminal)
		if err != nil || exit != 0 {
			return exit, err
		}
	}
	return 0, nil
}

// start runs a command to its end and returns its exit code.
func start(args, environment []string, dir string, terminal bool) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir = environment, dir
	var err error
	if terminal {
		err = beforeTerminal(cmd, os.Stdout)
	} else {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		err = cmd.Run()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	return 0, err
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// keep writes a file of configuration and returns its path.
func (s *scenario) keep(name string, content any) (string, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, name)
	return path, os.WriteFile(path, text, 0o600)
}
