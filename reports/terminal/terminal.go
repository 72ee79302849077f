// Package terminal is what a person reads while a command runs and behind it: how wide a terminal is, tables, wrapped
// text, and the progress of a run.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// IsTerminal reports whether a person reads what is written here.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Width is how many columns there are to write in.
func Width(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 { // 0: unknown
			return columns
		}
	}
	return 100
}

// NewTable is a table without borders, which is written here when it is rendered.
func NewTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SuppressTrailingSpaces()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 90, WidthMaxEnforcer: text.WrapSoft},
		{Number: 3, WidthMax: 40, WidthMaxEnforcer: text.WrapSoft}})
	return t
}

// Wrap fits a text into what columns leave beside an indentation, which every line but the first gets.
func Wrap(s string, columns, indentation int) string {
	lines := strings.Split(text.WrapSoft(s, max(16, columns-indentation)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ") // the library fills lines up
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", indentation))
}

// Readable says what is wrong with a file that cannot be opened, without Go's own words for it.
func Readable(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s", path)
	}
	return err
}
