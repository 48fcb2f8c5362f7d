// Package files hands out pictures that a connection holds, to whoever was given
// their address: a shop takes a picture only from an address that it can open,
// and Odoo shows its own to people who are logged in.
//
// An address holds all that is needed to read the picture, sealed, and an end. So
// nothing is stored, nothing can be asked for that no flow has handed out, and any
// process that accepts webhooks can answer.
package files

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/value"
)

const (
	// Lifetime is how long an address is good.
	Lifetime = time.Hour
	// maxAddress bounds the sealed part of an address, maxFile the picture.
	maxAddress = 4 << 10
	maxFile    = 20 << 20
)

// kinds are the pictures that are handed out, with the extension of their name.
var kinds = map[string]string{"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}

// Connections opens the connections of an instance.
type Connections interface {
	Connection(ctx context.Context, instance, name string) (connectors.Connection, error)
}

// Request is a picture: a field of the answer of an operation that reads.
type Request struct {
	Connection, Operation string
	With                  map[string]any
	Field                 string
}

// Desk makes addresses and answers them.
type Desk struct {
	App         func() *flow.App
	Connections Connections
	Sealer      *settings.Sealer
	Log         *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

var _ http.Handler = (*Desk)(nil)

func (d *Desk) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}

// place is what an address is sealed for, so that one instance's opens nothing of
// another's.
func place(instance string) []byte { return []byte("file\x00" + instance) }

// Path is where a picture can be read for a while, below the public address. name
// is for people and needs no extension.
func (d *Desk) Path(instance string, r Request, name string) (string, error) {
	if err := d.readable(r); err != nil {
		return "", err
	}
	plain, err := value.Encode(map[string]any{
		"connection": r.Connection, "operation": r.Operation, "with": r.With, "field": r.Field, "until": d.now().Add(Lifetime).Unix(),
	})
	if err != nil {
		return "", err
	}
	sealed, err := d.Sealer.Seal(plain, place(instance))
	if err != nil {
		return "", fmt.Errorf("sealing the address of a file: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(sealed)
	if len(token) > maxAddress {
		return "", connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, "the address of %s would be too long", name)
	}
	return "/files/" + url.PathEscape(instance) + "/" + token + "/" + url.PathEscape(name), nil
}

// readable refuses what is no reading operation of a connection.
func (d *Desk) readable(r Request) error {
	connection, ok := d.App().Connection(r.Connection)
	if !ok {
		return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, "there is no connection %q in app.yaml", r.Connection)
	}
	operation, ok := connection.Spec.Operation(r.Operation)
	if !ok || operation.Effect != connectors.Read {
		return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, "%s.%s is no operation that reads", r.Connection, r.Operation)
	}
	return nil
}

// ServeHTTP answers /files/{instance}/{token}/{name}.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	instance := r.PathValue("instance")
	request, err := d.open(instance, r.PathValue("token"))
	if err != nil {
		// Whoever asks learns nothing of why.
		http.NotFound(w, r)
		return
	}
	data, kind, err := d.read(r.Context(), instance, request)
	if err != nil {
		d.Log.Warn("a file was asked for and cannot be read", "instance", instance, "connection", request.Connection, "error", err)
		status := http.StatusNotFound
		if connectors.ClassOf(err) == connectors.Transient {
			status = http.StatusServiceUnavailable
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Content-Length", strconv.Itoa(len(data)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "private, no-store")
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(data); err != nil {
		d.Log.Debug("a file was not taken", "instance", instance, "error", err)
	}
}

// open reads an address, which must be ours and not over.
func (d *Desk) open(instance, token string) (Request, error) {
	if len(token) > maxAddress {
		return Request{}, fmt.Errorf("the address is too long")
	}
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return Request{}, err
	}
	plain, err := d.Sealer.Open(sealed, place(instance))
	if err != nil {
		return Request{}, err
	}
	record, err := value.DecodeRecord(plain)
	if err != nil {
		return Request{}, err
	}
	until, _ := record["until"].(int64)
	if !d.now().Before(time.Unix(until, 0)) {
		return Request{}, fmt.Errorf("the address is over")
	}
	word := func(name string) string {
		s, _ := record[name].(string)
		return s
	}
	with, _ := record["with"].(map[string]any)
	request := Request{Connection: word("connection"), Operation: word("operation"), With: with, Field: word("field")}
	return request, d.readable(request)
}

// read asks the connection and decodes the picture.
func (d *Desk) read(ctx context.Context, instance string, r Request) (data []byte, kind string, err error) {
	connection, err := d.Connections.Connection(ctx, instance, r.Connection)
	if err != nil {
		return nil, "", err
	}
	answer, err := connection.Call(ctx, connectors.Call{Operation: r.Operation, Params: r.With})
	if err != nil {
		return nil, "", err
	}
	record, _ := answer.(map[string]any)
	text, _ := record[r.Field].(string)
	if text == "" || len(text) > base64.StdEncoding.EncodedLen(maxFile) {
		return nil, "", fmt.Errorf("%s.%s has no picture of at most %d MB in %s", r.Connection, r.Operation, maxFile>>20, r.Field)
	}
	if data, err = base64.StdEncoding.DecodeString(text); err != nil {
		return nil, "", fmt.Errorf("%s is no picture: %w", r.Field, err)
	}
	kind = http.DetectContentType(data)
	if _, ok := kinds[kind]; !ok {
		return nil, "", fmt.Errorf("%s is %s, and only pictures are handed out", r.Field, kind)
	}
	return data, kind, nil
}

// Extension is the extension of a picture's name by its first bytes in base64, ""
// when it is no picture that shops take.
func Extension(encoded string) string {
	head := encoded[:min(len(encoded), 1024)/4*4]
	data, err := base64.StdEncoding.DecodeString(head)
	if err != nil {
		return ""
	}
	return kinds[http.DetectContentType(data)]
}

// Named gives a name the extension of a picture, where it has none of those.
func Named(name, extension string) string {
	i := strings.LastIndexByte(name, '.')
	known := []string{"png", "jpg", "jpeg", "gif", "webp"}
	if i >= 0 && slices.Contains(known, strings.ToLower(name[i+1:])) {
		return name
	}
	return name + "." + extension
}
