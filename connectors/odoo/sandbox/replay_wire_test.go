package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// onTheWire are the recordings about the protocols themselves: they are sent as
// they were, byte by byte, and compared in status, kind and error.
var onTheWire = map[string]string{
	"odoo18": "001-007 009-017 051-055 057-064",
	"odoo19": "010 015 029 034-036 050-064 066-068 075-080 115-140 145-150 160-168 170-175 180 558 560-564",
}

// ofSeveral are those of a server of several databases.
var ofSeveral = map[string]string{"odoo19": "560-564"}

// keys stand for the secrets that the recordings leave out.
var keys = strings.NewReplacer("${ODOO_API_KEY}", "the-key", "${ODOO_PASSWORD}", "the-key", "${PASSWORD}", "another", "${BASIC}", "YTpi", "${SCOPED_KEY}", "another", "${EXPIRED_KEY}", "another", "${CLERK_KEY}", "another")

// recorded is an exchange as a client sees it.
type recorded struct {
	Request struct {
		Method  string
		Path    string
		Headers map[string]string
		Body    any
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    any
	}
}

func readRecorded(t *testing.T, path string) recorded {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	if err := dec.Decode(&r); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r
}

func TestReplayOnTheWire(t *testing.T) {
	t.Parallel()
	folder := recordings(t)
	for version, files := range onTheWire {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			options := Options{Version: 18, Database: "odoo18", APIKey: "the-key"}
			if version == "odoo19" {
				options = Options{Version: 19, Database: "odoo19d", APIKey: "the-key"}
			}
			erp := New(options)
			options.MoreDatabases = true
			several := New(options)
			for _, file := range numbered(t, filepath.Join(folder, version)) {
				if contains(ofSeveral[version], file[:3]) {
					replayRaw(t, several, file, readRecorded(t, filepath.Join(folder, version, file)))
				} else if contains(files, file[:3]) {
					replayRaw(t, erp, file, readRecorded(t, filepath.Join(folder, version, file)))
				}
			}
		})
	}
}

func replayRaw(t *testing.T, erp *ERP, file string, r recorded) {
	t.Helper()
	body := ""
	switch given := r.Request.Body.(type) {
	case nil:
	case string:
		body = given
	default:
		data, err := json.Marshal(given)
		if err != nil {
			t.Fatal(err)
		}
		// The administrator's password is taken where a password is.
		body = keys.Replace(strings.ReplaceAll(string(data), "${PASSWORD}", "the-key"))
	}
	request := httptest.NewRequest(r.Request.Method, strings.ReplaceAll(r.Request.Path, "[]", "%5B%5D"), strings.NewReader(body))
	for name, value := range r.Request.Headers {
		request.Header.Set(name, keys.Replace(value))
	}
	recorder := httptest.NewRecorder()
	erp.ServeHTTP(recorder, request)
	if recorder.Code != r.Response.Status {
		t.Errorf("%s: %d %s, recorded %d", file, recorder.Code, recorder.Body, r.Response.Status)
		return
	}
	want, plain := r.Response.Body.(string)
	got := recorder.Body.String()
	if plain && !strings.Contains(recorder.Header().Get("Content-Type"), "json") {
		if title(want) != title(got) {
			t.Errorf("%s: answers %q, recorded %q", file, title(got), title(want))
		}
		return
	}
	var tree any
	dec := json.NewDecoder(strings.NewReader(got))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		t.Errorf("%s: answers %q, recorded %v", file, got, r.Response.Body)
		return
	}
	if difference := differs(r.Response.Body, tree); difference != "" {
		t.Errorf("%s: %s", file, difference)
	}
}

var titleOf = regexp.MustCompile(`(?s)<title>(.*?)</title>`)

// title is what a page or a line says.
func title(text string) string {
	if m := titleOf.FindStringSubmatch(text); m != nil {
		return strings.TrimSpace(m[1])
	}
	return text
}

// differs compares errors by name and words, envelopes by their members, results
// by their kinds: what they count differs between databases.
func differs(want, got any) string {
	wanted, here := asObject(want), asObject(got)
	if (wanted == nil) != (here == nil) || reflect.TypeOf(want) != reflect.TypeOf(got) {
		return fmt.Sprintf("answers %s, recorded %s", jsonText(got), jsonText(want))
	}
	for name, value := range wanted {
		given, ok := here[name]
		switch {
		case !ok:
			return fmt.Sprintf("has no %q: %s", name, jsonText(got))
		case name == "name" || name == "message" || name == "code":
			if given != value && !strings.HasPrefix(fmt.Sprint(value), "could not parse the body as json") {
				return fmt.Sprintf("%s is %v, recorded %v", name, given, value)
			}
		case name == "error" || name == "data":
			if inner := differs(value, given); inner != "" {
				return inner
			}
		}
	}
	for name := range here {
		if _, ok := wanted[name]; !ok {
			return fmt.Sprintf("has %q, which was not recorded", name)
		}
	}
	return ""
}
