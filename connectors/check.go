package connectors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Checker is implemented by connections that can tell how their system is set
// up: what is read and written there without anybody noticing in a good hour,
// and would fail in a bad one.
type Checker interface {
	// Check looks at the system and changes nothing in it. What cannot be looked
	// at is a finding as well; after a failure to connect there is nothing more.
	Check(ctx context.Context, want Wanted) []Finding
}

// Wanted is what a check compares the system with.
type Wanted struct {
	// HooksURL is where the system should deliver its webhooks; "" when nobody
	// knows the address that the ingress has from outside.
	HooksURL string
	// Events that some flow waits for, by their names in Spec.Events.
	Events []string
}

// Level says how bad a finding is.
type Level string

// The levels of findings.
const (
	OK   Level = "ok"
	Warn Level = "warn" // works, and may not in some case
	Fail Level = "fail" // does not work
)

// Finding is one thing that was looked at.
type Finding struct {
	Level Level `json:"level"`
	// Check names what was looked at, stable: "version", "clock".
	Check string `json:"check"`
	// Message is what was found, Advice what to do about it.
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"`
}

// Found makes a finding that is fine.
func Found(check, format string, args ...any) Finding {
	return Finding{Level: OK, Check: check, Message: fmt.Sprintf(format, args...)}
}

// Warned makes a finding that needs a look.
func Warned(check, advice, format string, args ...any) Finding {
	return Finding{Level: Warn, Check: check, Message: fmt.Sprintf(format, args...), Advice: advice}
}

// Failed makes a finding of an error, with the error's advice.
func Failed(check string, err error) Finding {
	f := Finding{Level: Fail, Check: check, Message: err.Error()}
	var told *Error
	if errors.As(err, &told) {
		f.Advice = told.Advice
	}
	return f
}

// Clocks that differ by more lose changes at the edges of a sweep, and at
// fifteen minutes signatures of requests are refused.
const (
	clockWarn = 30 * time.Second
	clockFail = 10 * time.Minute
)

// ClockCheck compares a system's clock, as the Date of an answer tells it, with
// this machine's at about the middle of the exchange. It is not ok when the
// answer has no date.
func ClockCheck(header http.Header, sent, received time.Time) (finding Finding, ok bool) {
	theirs, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return Finding{}, false
	}
	ours := sent.Add(received.Sub(sent) / 2)
	// The header has whole seconds, cut off.
	offset := theirs.Add(500 * time.Millisecond).Sub(ours).Round(time.Second)
	apart := offset.Abs()
	if apart < clockWarn {
		return Found("clock", "the clocks agree to %s", max(apart, time.Second)), true
	}
	direction := "ahead of"
	if offset < 0 {
		direction = "behind"
	}
	finding = Warned("clock", "Let both machines set their clocks by NTP.", "its clock is %s %s this machine's", apart, direction)
	if apart >= clockFail {
		finding.Level = Fail
	}
	return finding, true
}
