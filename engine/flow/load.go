package flow

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// AppFile is the name of the file that makes a folder an app.
const AppFile = "app.yaml"

// Load reads and checks the app in a folder: app.yaml and the flow files it
// lists, plus those of extra that it does not list, and the types of records in
// [ResourcesFolder]. prefix is put before file
// names in positions, so that they can be opened from where the user stands.
//
// The error is only about reading files; every mistake in them is a diagnostic.
// An app with errors must not be run.
func Load(fsys fs.FS, prefix string, extra ...string) (*App, Diagnostics, error) {
	l := &loader{fsys: fsys, prefix: prefix, app: &App{Sources: map[string]string{}}}
	if err := l.readResources(); err != nil {
		return nil, nil, err
	}
	doc, err := l.read(AppFile)
	if err != nil {
		return nil, nil, err
	}
	var listed []string
	if doc.root != nil {
		doc.checkStructure("app.schema.json")
		listed = l.decodeApp(doc)
		l.checkResources()
	}
	for order, name := range listed {
		if err := l.loadFlow(doc, name, order); err != nil {
			return nil, nil, err
		}
	}
	for _, file := range extra {
		name := strings.TrimSuffix(file, ".yaml")
		if file != AppFile && !slices.Contains(listed, name) {
			if err := l.loadFlow(doc, name, len(l.app.Flows)); err != nil {
				return nil, nil, err
			}
		}
	}
	newChecker(l.app, l.docs, &l.findings).checkApp(doc)
	setVersions(l.app.Flows, l.docs)
	return l.app, l.findings.Sorted(), nil
}

type loader struct {
	fsys      fs.FS
	prefix    string
	app       *App
	docs      map[*Flow]*document
	resources resources
	findings  Diagnostics
}

func (l *loader) read(file string) (*document, error) {
	data, err := fs.ReadFile(l.fsys, file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path.Join(l.prefix, file), err)
	}
	shown := path.Join(l.prefix, file)
	l.app.Sources[shown] = string(data)
	doc := parseDocument(shown, string(data), &l.findings)
	doc.resources = l.resources
	return doc, nil
}

func (l *loader) loadFlow(app *document, name string, order int) error {
	doc, err := l.read(name + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		for _, item := range app.flowList() {
			if item.Value == name {
				app.reportNode(item, "unknown-flow", "", "there is no file %s.yaml beside app.yaml", name)
				return nil
			}
		}
	}
	if err != nil {
		return err
	}
	if doc.root == nil {
		return nil
	}
	doc.checkStructure("flow.base.json")
	f := decodeFlow(doc)
	f.Order = order
	f.File = doc.src.file
	if base := path.Base(name); f.Name != "" && f.Name != base {
		doc.reportNode(get(doc.root, "flow"), "wrong-name", "", "the flow is named %q, its file %q: they must agree", f.Name, base)
	}
	if twin, ok := l.app.Flow(f.Name); ok {
		doc.reportNode(get(doc.root, "flow"), "duplicate-flow", "", "there is a flow %q in %s already", f.Name, twin.File)
		return nil
	}
	l.app.Flows = append(l.app.Flows, f)
	if l.docs == nil {
		l.docs = map[*Flow]*document{}
	}
	l.docs[f] = doc
	return nil
}
