package run

import (
	"bytes"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// minSecret is the length below which a secret is not looked for: replacing
// every "a" would make the journal unreadable and hide nothing.
const minSecret = 6

const scrubbedText = "[secret]"

// secretsOf lists the values of the secret settings, longest first, as they
// stand in text and within JSON.
func secretsOf(app *flow.App, settings map[string]any) []string {
	var secrets []string
	for _, declared := range app.Settings() {
		secret, _ := settings[declared.Name].(string)
		if declared.Type != "secret" || len(secret) < minSecret {
			continue
		}
		secrets = append(secrets, secret)
		if quoted, err := value.Encode(secret); err == nil {
			secrets = append(secrets, string(bytes.Trim(quoted, `"`)))
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(secrets)
}

func (j *journal) scrub(data []byte) []byte {
	for _, secret := range j.secrets {
		data = bytes.ReplaceAll(data, []byte(secret), []byte(scrubbedText))
	}
	return data
}

func (j *journal) scrubText(text string) string {
	for _, secret := range j.secrets {
		text = strings.ReplaceAll(text, secret, scrubbedText)
	}
	return text
}

// scrubbed takes the secrets out of what people read of a run.
func (e *execution) scrubbed(outcome store.Outcome) store.Outcome {
	outcome.Reason = e.journal.scrubText(outcome.Reason)
	outcome.Advice = e.journal.scrubText(outcome.Advice)
	outcome.Result = e.journal.scrub(outcome.Result)
	return outcome
}
