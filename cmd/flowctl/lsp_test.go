package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// languageServer is yaml-language-server, spoken to over its standard input and
// output.
type languageServer struct {
	t      *testing.T
	in     io.Writer
	out    *bufio.Reader
	nextID int
	// published are the marks that the server told of, by file.
	published map[string]string
}

// nodeServer finds the server where .ci/install puts it; the test is skipped
// where it is not.
func nodeServer(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("FLOWCTL_NODE")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skipf("NO CLIENT: %v", err)
		}
		folder = filepath.Join(cache, "flowctl", "node")
	}
	program := filepath.Join(folder, "node_modules", "yaml-language-server", "bin", "yaml-language-server")
	if _, err := os.Stat(program); err != nil {
		t.Skipf("NO CLIENT: run .ci/install for the npm package yaml-language-server (%v)", err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skipf("NO CLIENT: %v", err)
	}
	return program
}

func startLanguageServer(t *testing.T) *languageServer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	command := exec.CommandContext(ctx, "node", nodeServer(t), "--stdio")
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		// It was killed, which is what it says.
		var exit *exec.ExitError
		if err := command.Wait(); err != nil && !errors.As(err, &exit) {
			t.Error(err)
		}
	})
	s := &languageServer{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20), published: map[string]string{}}
	s.call("initialize", map[string]any{
		"processId": os.Getpid(), "rootUri": nil,
		"capabilities": map[string]any{"textDocument": map[string]any{
			"completion": map[string]any{"completionItem": map[string]any{"documentationFormat": []string{"markdown"}}},
			"hover":      map[string]any{"contentFormat": []string{"markdown"}},
		}},
	})
	s.notify("initialized", map[string]any{})
	s.notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"yaml": map[string]any{
		"validate": true, "hover": true, "completion": true, "schemaStore": map[string]any{"enable": false},
	}}})
	return s
}

type message struct {
	ID     any             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func (s *languageServer) send(v map[string]any) {
	s.t.Helper()
	v["jsonrpc"] = "2.0"
	data, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(data), data); err != nil {
		s.t.Fatal(err)
	}
}

func (s *languageServer) notify(method string, params any) {
	s.t.Helper()
	s.send(map[string]any{"method": method, "params": params})
}

// call asks something and waits for the answer.
func (s *languageServer) call(method string, params any) json.RawMessage {
	s.t.Helper()
	s.nextID++
	s.send(map[string]any{"id": s.nextID, "method": method, "params": params})
	for {
		m := s.next()
		if id, ok := m.ID.(float64); ok && m.Method == "" && int(id) == s.nextID {
			if m.Error != nil {
				s.t.Fatalf("%s: %s", method, m.Error)
			}
			return m.Result
		}
	}
}

// next reads one message; what the server asks is answered, and what it marks is
// remembered.
func (s *languageServer) next() message {
	s.t.Helper()
	header, err := textproto.NewReader(s.out).ReadMIMEHeader()
	if err != nil {
		s.t.Fatal("the language server ended: ", err)
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		s.t.Fatal(err)
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(s.out, data); err != nil {
		s.t.Fatal(err)
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		s.t.Fatal(err)
	}
	switch {
	case m.Method == "textDocument/publishDiagnostics":
		var told struct {
			URI         string `json:"uri"`
			Diagnostics []struct {
				Message string `json:"message"`
			} `json:"diagnostics"`
		}
		if err := json.Unmarshal(m.Params, &told); err != nil {
			s.t.Fatal(err)
		}
		var marks []string
		for _, d := range told.Diagnostics {
			marks = append(marks, d.Message)
		}
		s.published[told.URI] = strings.Join(marks, "; ")
	case m.Method == "workspace/configuration":
		s.send(map[string]any{"id": m.ID, "result": []any{
			map[string]any{"validate": true, "hover": true, "completion": true, "schemaStore": map[string]any{"enable": false}}, nil, nil, nil, nil,
		}})
	case m.Method != "" && m.ID != nil:
		s.send(map[string]any{"id": m.ID, "result": nil})
	}
	return m
}

func (s *languageServer) open(uri, text string) {
	s.t.Helper()
	s.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text}})
}

// marks are what is wrong with a file, once the server has told.
func (s *languageServer) marks(uri string) string {
	s.t.Helper()
	for {
		if marks, told := s.published[uri]; told {
			return marks
		}
		s.next()
	}
}

func place(uri string, line, column int) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": uri}, "position": map[string]any{"line": line, "character": column}}
}

// complete lists what can stand at a place, a line each.
func (s *languageServer) complete(uri string, line, column int) string {
	s.t.Helper()
	var list struct {
		Items []struct {
			Label string `json:"label"`
		} `json:"items"`
	}
	if err := json.Unmarshal(s.call("textDocument/completion", place(uri, line, column)), &list); err != nil {
		s.t.Fatal(err)
	}
	out := "\n"
	for _, item := range list.Items {
		out += item.Label + "\n"
	}
	return out
}

// hover is what is told of a place.
func (s *languageServer) hover(uri string, line, column int) string {
	s.t.Helper()
	var told struct {
		Contents struct {
			Value string `json:"value"`
		} `json:"contents"`
	}
	result := s.call("textDocument/hover", place(uri, line, column))
	if len(result) > 0 && string(result) != "null" {
		if err := json.Unmarshal(result, &told); err != nil {
			s.t.Fatal(err)
		}
	}
	return told.Contents.Value
}
