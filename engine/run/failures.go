package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// namedItems is how many failed items are named in a run's reason.
const namedItems = 5

// maxOutages is how many items in a row may fail because the system does not
// answer or refuses everything, before the rest is not tried.
const maxOutages = 3

// failures gathers what went wrong with the items of a list.
type failures struct {
	counting sync.Mutex

	total, failed, untried int
	outages                int
	named                  []string
	// waits: an item waits for another run, which no on_error passes over.
	waits bool
	// outcome is what the failures do to the run: while trying again may help
	// some item the run is retried, then held if a person can help, else failed.
	outcome store.Outcome
}

// add counts the failure of n items. It tells whether to stop trying.
func (l *loop) add(ctx context.Context, path string, n int, err error) (stopTrying bool) {
	outcome := l.outcomeOf(ctx, err)
	l.counting.Lock()
	defer l.counting.Unlock()
	l.failed += n - 1
	l.waits = l.waits || errors.Is(err, store.ErrClaimed)
	l.count(path, outcome, err)
	if !isOutage(err) {
		l.outages = 0
		return false
	}
	l.outages++
	return l.outages >= maxOutages || retryAfter(err) > 0
}

// answered notes that the system answered.
func (f *failures) answered() {
	f.counting.Lock()
	defer f.counting.Unlock()
	f.outages = 0
}

// count counts a failed item and what it does to the run.
func (f *failures) count(path string, outcome store.Outcome, err error) {
	f.failed++
	if len(f.named) < namedItems {
		f.named = append(f.named, named(path, err))
	}
	if urgency(outcome.State) > urgency(f.outcome.State) {
		f.outcome = outcome
	} else if outcome.State == f.outcome.State {
		f.outcome.After = max(f.outcome.After, outcome.After)
	}
}

// named says what went wrong with an item: its error begins with the path.
func named(path string, err error) string {
	var at *stepError
	if errors.As(err, &at) {
		return strings.TrimPrefix(at.Error(), "step ")
	}
	return path + ": " + err.Error()
}

// urgency orders what may become of the run.
func urgency(state store.State) int {
	switch state {
	case store.Retrying:
		return 3
	case store.Held:
		return 2
	case store.Failed:
		return 1
	}
	return 0
}

// isOutage tells whether an error is about the system rather than the record.
func isOutage(err error) bool {
	var remote *connectors.Error
	if !errors.As(err, &remote) {
		return false
	}
	switch remote.Code {
	case connectors.CodeUnreachable, connectors.CodeRateLimited, connectors.CodeUnauthorized, connectors.CodeBadConfig:
		return true
	}
	return false
}

// itemsError says which items failed.
type itemsError struct {
	message string
	outcome store.Outcome
}

func (e *itemsError) Error() string { return e.message }

// itemsError sums the failures up; nil when there are none.
func (f *failures) itemsError(path string) *itemsError {
	if f.failed == 0 {
		return nil
	}
	message := fmt.Sprintf("%d of %d items failed in step %s: %s", f.failed, f.total, path, strings.Join(f.named, "; "))
	if f.failed > len(f.named) {
		message += "; …"
	}
	if f.untried > 0 {
		message += fmt.Sprintf(" (%d more were not tried)", f.untried)
	}
	outcome := f.outcome
	outcome.Reason = message
	return &itemsError{message, outcome}
}
