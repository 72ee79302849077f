// Command emaconform judges implementations of MCP Enterprise-Managed Authorization and serves a mock identity provider
// for their developers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	// used where the machine has no certificate authorities, as in the container
	_ "golang.org/x/crypto/x509roots/fallback"

	fixture "github.com/emaconform/emaconform/fixtures/client"
	"github.com/emaconform/emaconform/reports/terminal"
	"github.com/emaconform/emaconform/suites/client/drive"
	"github.com/emaconform/emaconform/suites/client/program"
	"github.com/emaconform/emaconform/suites/engine"
	_ "github.com/emaconform/emaconform/suites/idp" // its checks
	_ "github.com/emaconform/emaconform/suites/ras"
	_ "github.com/emaconform/emaconform/suites/rs"
	"github.com/emaconform/emaconform/suites/run"
)

// Exit codes: what a CI job gates on.
const (
	exitConformant    = 0
	exitNotConformant = 1
	exitUsage         = 2
	exitInconclusive  = 3
)

// exitCode is an error that only sets the exit code: everything has been said already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	log.SetOutput(io.Discard) // net/http quotes there what a target sends unasked, which may be our secrets
	engine.WorkerMain()
	drive.Main()
	fixture.Main()
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	leave := func() {}
	switch command {
	case "server": // what starts other programs, and keeps keys in temporary files
		leave = program.Guard(run.SetupEntry)
	case "client", "idp":
		leave = program.Guard("")
	}
	if command != "matrix" { // which runs many targets at a time
		engine.LimitMemory(105 << 20)
	}
	code := execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)
	leave()
	os.Exit(code)
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second interrupt ends the program at once.
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var code exitCode
	switch {
	case err == nil:
		return exitConformant
	case errors.As(err, &code):
		return int(code)
	default:
		fmt.Fprintln(stderr, "emaconform: "+err.Error())
		return exitUsage
	}
}

// withoutColors takes the colours out of what this process prints, for good: they are a variable of the whole process,
// which is written once, whoever asks for it at the same time.
var withoutColors = sync.OnceFunc(text.DisableColors)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "emaconform",
		Short: "Conformance suite and mock identity provider for MCP Enterprise-Managed Authorization",
		Long: "emaconform tells whether an MCP connector implements Enterprise-Managed Authorization\n" +
			"(io.modelcontextprotocol/enterprise-managed-authorization, ID-JAG, Cross App Access) correctly and safely, and " +
			"proves it.\n\nExit codes: 0 conformant, 1 not conformant, 2 usage or configuration error, 3 inconclusive.",
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRun: func(c *cobra.Command, _ []string) {
			if !terminal.IsTerminal(c.OutOrStdout()) || os.Getenv("NO_COLOR") != "" {
				withoutColors()
			}
		},
		Version: engine.Version(),
	}
	root.AddCommand(newServer(), newClient(), newIdP(), newMockIdP(), newList(), newExplain(), newMatrix(), newConfig(),
		newRender(), newSchema(),
		newVersion(), newDocs(), newAttest(), newVerify(), newResults(), newKeygen(), newDiff(), newFleet())
	return root
}
