package run

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// SettingsPath is the path of the journal entry that keeps the settings a series
// of attempts began with.
const SettingsPath = "$settings"

// pin keeps the settings as they are for the attempts to come: a run in flight
// goes on with what it began with, as it does with its flow's version. A run that
// begins anew, because a person or a later event tried it again, takes today's.
//
// Secrets are not copied. They open connections, and an old key may be refused by
// now: they are always today's.
func (e *execution) pin() error {
	if e.journal.head.inSeries(e.run) && e.journal.settings != nil {
		kept, err := value.DecodeRecord(e.journal.settings)
		if err != nil {
			return fmt.Errorf("reading the settings that the run began with: %w", err)
		}
		e.settings = maps.Clone(e.settings)
		maps.Copy(e.settings, kept)
		return nil
	}
	kept := maps.Clone(e.settings)
	for _, declared := range e.executor.App().Settings() {
		if declared.Type == "secret" {
			delete(kept, declared.Name)
		}
	}
	for name, v := range kept {
		data, err := value.Encode(v)
		if err != nil {
			return fmt.Errorf("keeping the setting %s: %w", name, err)
		}
		// The journal holds no secret, so a setting that happens to contain one
		// cannot be kept.
		if !bytes.Equal(data, e.journal.scrub(data)) {
			delete(kept, name)
		}
	}
	data, err := value.Encode(kept)
	if err != nil {
		return fmt.Errorf("keeping the settings: %w", err)
	}
	now := time.Now().UTC()
	e.journal.note(store.Step{Path: SettingsPath, State: store.StepDone, Output: data, Started: now, Ended: now})
	return nil
}

// unpin leaves the settings out of the journal of a run that has come to an end
// without writing anything: no attempt follows that would need them.
func (j *journal) unpin(outcome store.Outcome) {
	if outcome.State == store.Retrying || outcome.State == store.Waiting {
		return
	}
	j.pending = slices.DeleteFunc(j.pending, func(s store.Step) bool { return s.Path == SettingsPath })
}
