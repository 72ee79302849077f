package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
)

func isEventStream(h http.Header) bool {
	mt, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return mt == "text/event-stream"
}

// readEvent reads a server-sent event stream up to the first event that carries a JSON-RPC response and returns its
// data. A stream may stay open behind it, so reading to the end would wait for the time bound.
func readEvent(body io.Reader, limit int64) ([]byte, error) {
	lines := bufio.NewReader(io.LimitReader(body, limit+1))
	var data, all []byte
	for {
		line, err := lines.ReadBytes('\n')
		all = append(all, line...)
		line = bytes.TrimRight(line, "\r\n")
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(data, bytes.TrimPrefix(value, []byte(" "))...)
		}
		if len(line) == 0 && isResponse(data) {
			return data, nil
		}
		if len(line) == 0 {
			data = nil
		}
		if errors.Is(err, io.EOF) {
			if isResponse(data) {
				return data, nil
			}
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

func isResponse(data []byte) bool {
	return bytes.Contains(data, []byte(`"result"`)) || bytes.Contains(data, []byte(`"error"`))
}
