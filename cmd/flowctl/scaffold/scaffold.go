// Package scaffold makes new flows and connectors that work as they stand, to
// begin with.
package scaffold

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Delims("<%", "%>").ParseFS(files, "templates/*"))

func fill(name string, data any) (string, error) {
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("filling %s: %w", name, err)
	}
	return b.String(), nil
}

// FlowName and ConnectorName are what flows and connectors may be called.
var (
	FlowName      = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	ConnectorName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// Flow is the text of a new flow. event is what starts it, "" for a person;
// payload its type; schema is where flow.schema.json is, seen from the file.
func Flow(name, event string, payload *connectors.Schema, schema string) (string, error) {
	data := map[string]any{"Name": name, "Title": title(name), "Event": event, "Schema": schema, "Key": ""}
	if event == "" {
		return fill("manual.yaml.tmpl", data)
	}
	if _, has := payload.Property("id"); has {
		parts := strings.Split(event, ".")
		data["Key"] = parts[max(0, len(parts)-2)] + ":${event.id}"
	}
	return fill("event.yaml.tmpl", data)
}

// title makes "Order Note" of "order-note".
func title(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' })
	for i, word := range words {
		runes := []rune(word)
		runes[0] = unicode.ToUpper(runes[0])
		words[i] = string(runes)
	}
	return strings.Join(words, " ")
}

// AddFlow adds a flow's name to the flows of an app.yaml and leaves everything
// else as it is.
func AddFlow(app, name string) (string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(app), &root); err != nil {
		return "", err
	}
	var list *yaml.Node
	if len(root.Content) > 0 {
		for i := 0; i+1 < len(root.Content[0].Content); i += 2 {
			if root.Content[0].Content[i].Value == "flows" {
				list = root.Content[0].Content[i+1]
			}
		}
	}
	if list == nil || list.Kind != yaml.SequenceNode {
		return "", fmt.Errorf("it has no list of flows")
	}
	lines := strings.SplitAfter(app, "\n")
	if list.Style&yaml.FlowStyle != 0 {
		// From the bracket on: the first ] closes it, for names hold none.
		from := list.Line - 1
		for i := from; i < len(lines); i++ {
			end := strings.IndexByte(lines[i], ']')
			if end < 0 {
				continue
			}
			comma := ", "
			if len(list.Content) == 0 {
				comma = ""
			}
			lines[i] = lines[i][:end] + comma + name + lines[i][end:]
			return strings.Join(lines, ""), nil
		}
		return "", fmt.Errorf("its list of flows has no end")
	}
	last := list.Content[len(list.Content)-1]
	at := last.Line - 1
	if !strings.HasSuffix(lines[at], "\n") {
		lines[at] += "\n"
	}
	lines[at] += strings.Repeat(" ", list.Column-1) + "- " + name + "\n"
	return strings.Join(lines, ""), nil
}

// Connector is the files of a new connector's package, by name.
func Connector(name, module string) (map[string]string, error) {
	data := map[string]any{"Name": name, "Package": strings.ReplaceAll(name, "_", ""), "Title": title(name), "Module": module}
	out := map[string]string{}
	for _, file := range []string{"connector.go", "connection.go", "connector_test.go"} {
		text, err := fill(file+".tmpl", data)
		if err != nil {
			return nil, err
		}
		out[file] = text
	}
	return out, nil
}
