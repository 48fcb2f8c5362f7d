package panel

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// pages are the parsed templates, one set for each page.
type pages struct{ sets map[string]*template.Template }

func newPages() (*pages, error) {
	all, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	shared, err := template.New("").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	p := &pages{sets: map[string]*template.Template{}}
	for _, file := range all {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		set, err := template.Must(shared.Clone()).ParseFS(templateFiles, file)
		if err != nil {
			return nil, err
		}
		p.sets[name] = set
	}
	return p, nil
}

// view is what a page's templates see: the frame and the page's own data.
type view struct {
	Layout layout
	Data   any
}

// layout is the frame around a page.
type layout struct {
	Title   string
	Section string // of the navigation
	Base    string // of the shop's pages, "" where there is no shop
	Account store.Account
	Owner   bool
	Demo    bool
	Shop    Instance
	Shops   []Instance
	Needs   int // runs that need a person
	Notice  string
	Version string
	Assets  string // what makes their addresses new when they change
}

// layout gathers the frame. What cannot be counted is left out: an error page
// must show even when the store is gone.
func (p *Panel) layout(v *visit, section, title string) layout {
	l := layout{
		Title: title, Section: section, Account: v.account, Owner: v.owner(), Demo: p.config.Demo,
		Shop: v.instance, Shops: v.shops, Version: p.config.Version, Assets: assetsVersion,
	}
	if v.instance.Name != "" {
		l.Base = v.base()
		ctx, cancel := context.WithTimeout(v.Context(), 2*time.Second)
		defer cancel()
		if pulse, err := p.store.Pulse(ctx, v.instance.Name); err == nil {
			l.Needs = pulse.Held + pulse.Failed
		}
	}
	if v.account.Name != "" {
		l.Notice = p.sessions.noted(v.Request)
	}
	return l
}

// render writes a whole page.
func (p *pages) render(v *visit, status int, page string, l layout, data any) error {
	return p.write(v, status, page, "layout", view{l, data})
}

// part writes one template of a page, for a piece of it that changes.
func (p *pages) part(v *visit, page, part string, l layout, data any) error {
	return p.write(v, http.StatusOK, page, part, view{l, data})
}

func (p *pages) write(v *visit, status int, page, name string, data view) error {
	set, ok := p.sets[page]
	if !ok {
		return fmt.Errorf("there is no page %q", page)
	}
	// Into memory first: a page that fails half way would look whole.
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("rendering %s of %s: %w", name, page, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, err := v.w.Write(b.Bytes())
	return err
}

// asset is an embedded file, packed for the wire.
type asset struct {
	kind          string
	plain, packed []byte
}

var assetKinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

var assets, assetsVersion = readAssets()

func readAssets() (map[string]asset, string) {
	files := map[string]asset{}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // they are embedded: a mistake of the build
	}
	sum := sha256.New()
	for _, entry := range entries {
		data, err := assetFiles.ReadFile("assets/" + entry.Name())
		if err != nil {
			panic(err)
		}
		kind := assetKinds[path.Ext(entry.Name())]
		if kind == "" {
			kind = "text/plain; charset=utf-8" // the licences
		}
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is valid
		if _, err := w.Write(data); err != nil {
			panic(err)
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
		files[entry.Name()] = asset{kind, data, packed.Bytes()}
		sum.Write(data)
	}
	return files, hex.EncodeToString(sum.Sum(nil))[:12]
}

// serveAssets serves the embedded files. Their addresses change with them, so
// that browsers may keep them.
func serveAssets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := assets[r.PathValue("file")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.kind)
		h.Set("Vary", "Accept-Encoding")
		h.Set("Cache-Control", "public, max-age=300")
		if r.FormValue("v") == assetsVersion {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		data := file.plain
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			data = file.packed
		}
		if r.Method != http.MethodHead {
			// The visitor may have left: nothing is to be done about it.
			_, _ = w.Write(data)
		}
	})
}

func escapeQuery(s string) string { return url.QueryEscape(s) }

// outcome writes what became of a run, as a piece of a page.
func (p *pages) outcome(v *visit, o outcomeView) error { return p.piece(v, "outcome", o) }

// checks writes lines of what was looked at, as a piece of a page.
func (p *pages) checks(v *visit, all []checkView) error { return p.piece(v, "checks", all) }

// piece writes a shared template.
func (p *pages) piece(v *visit, name string, data any) error {
	var b bytes.Buffer
	if err := p.sets["error"].ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := v.w.Write(b.Bytes())
	return err
}
