package httpcall

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// hidden stands where a secret stood.
const hidden = "•••"

// Scrubber takes secrets out of errors: a server may repeat what it was told.
type Scrubber struct {
	forms    []string
	replacer *strings.Replacer
}

// NewScrubber returns a scrubber for secrets, "" among them is none. It finds them
// as they are, and as they are written in addresses, JSON and base64.
func NewScrubber(secrets ...string) *Scrubber {
	s := &Scrubber{}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))}
		if quoted, err := json.Marshal(secret); err == nil {
			forms = append(forms, string(quoted[1:len(quoted)-1]))
		}
		for _, form := range forms {
			if !slices.Contains(s.forms, form) {
				s.forms = append(s.forms, form)
			}
		}
	}
	// The longest first, so that none is left in part.
	slices.SortStableFunc(s.forms, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(s.forms))
	for _, form := range s.forms {
		pairs = append(pairs, form, hidden)
	}
	s.replacer = strings.NewReplacer(pairs...)
	return s
}

// Text returns a text without the secrets.
func (s *Scrubber) Text(text string) string { return s.replacer.Replace(text) }

// Error cleans an error of type *[connectors.Error], in place; others pass. A
// cause that holds a secret is dropped.
func (s *Scrubber) Error(err error) error {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return err
	}
	e.Message, e.Advice, e.Code = s.Text(e.Message), s.Text(e.Advice), s.Text(e.Code)
	if e.Err != nil && s.Text(e.Err.Error()) != e.Err.Error() {
		e.Err = nil
	}
	return err
}
