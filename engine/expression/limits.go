package expression

import (
	"context"
	"time"
)

// Bounds on what is compiled. They keep the validator quick on any file.
const (
	// MaxSource is the longest text that is compiled, in bytes.
	MaxSource = 64 << 10
	// MaxNodes is how many names, literals and operators one expression may have.
	MaxNodes = 2000
	// MaxNesting is how deep predicates may stand in predicates: map(… map(… )).
	MaxNesting = 8
	// maxParts is how many ${…} one template may have.
	maxParts = 500
)

// Limits bounds one evaluation, so that no flow file can hang a worker or eat
// its memory. A field of 0 means the field of [DefaultLimits].
type Limits struct {
	// Time is how long an evaluation may take.
	Time time.Duration
	// Iterations is how much work it may do: one for each operator and call
	// evaluated, and one for each element a loop or a function walks over.
	Iterations int
	// Memory is how many bytes it may build, counted when built and never given
	// back: text by its length, lists 16 bytes an element, records 64 a field.
	Memory int
	// Output is how large the result may be, in the bytes of Memory. A value
	// that occurs twice counts twice, as it does once written out.
	Output int
}

// DefaultLimits are the limits of an evaluation whose context names none. They
// leave room for a list of 10,000 records and stop a runaway within a second.
var DefaultLimits = Limits{
	Time:       5 * time.Second,
	Iterations: 5_000_000,
	Memory:     128 << 20,
	Output:     64 << 20,
}

type limitsKey struct{}

// WithLimits sets the limits of the evaluations under the context.
func WithLimits(ctx context.Context, limits Limits) context.Context {
	return context.WithValue(ctx, limitsKey{}, limits)
}

func limitsOf(ctx context.Context) Limits {
	limits, _ := ctx.Value(limitsKey{}).(Limits)
	if limits.Time <= 0 {
		limits.Time = DefaultLimits.Time
	}
	if limits.Iterations <= 0 {
		limits.Iterations = DefaultLimits.Iterations
	}
	if limits.Memory <= 0 {
		limits.Memory = DefaultLimits.Memory
	}
	if limits.Output <= 0 {
		limits.Output = DefaultLimits.Output
	}
	return limits
}

// clockEvery is how many iterations pass between two looks at the clock and the
// context: a look costs about as much as ten iterations.
const clockEvery = 2000

// meter counts the work of one evaluation. Nothing else stops a loop: every
// loop, and every function whose work grows with its arguments, spends before
// it works.
type meter struct {
	ctx      context.Context
	limits   Limits
	deadline time.Time
	spent    int
	built    int
	nextLook int
}

func newMeter(ctx context.Context) meter {
	limits := limitsOf(ctx)
	return meter{ctx: ctx, limits: limits, deadline: time.Now().Add(limits.Time), nextLook: clockEvery}
}

// spend counts n steps of work about to be done.
func (m *meter) spend(n int) error {
	m.spent += n
	if m.spent < m.nextLook && m.spent >= 0 {
		return nil
	}
	return m.look()
}

func (m *meter) look() error {
	m.nextLook = m.spent + clockEvery
	if m.spent > m.limits.Iterations || m.spent < 0 {
		return failf(CodeLimit, "the expression takes more than %d steps", m.limits.Iterations).
			hinted("work on fewer elements, or let the flow do it in batches with for_each")
	}
	if err := m.ctx.Err(); err != nil {
		e := failf(CodeCanceled, "stopped: %v", err)
		e.Err = err
		return e
	}
	if time.Now().After(m.deadline) {
		return failf(CodeLimit, "the expression takes longer than %s", m.limits.Time).
			hinted("work on fewer elements, or let the flow do it in batches with for_each")
	}
	return nil
}

// build counts n bytes about to be allocated.
func (m *meter) build(n int) error {
	m.built += n
	if m.built > m.limits.Memory || n < 0 || m.built < 0 {
		return failf(CodeLimit, "the expression builds more than %d bytes", m.limits.Memory).
			hinted("work on fewer elements, or let the flow do it in batches with for_each")
	}
	return nil
}

// The bytes that values are counted with.
const (
	bytesItem    = 16 // an element of a list
	bytesField   = 64 // a field of a record, without its name
	bytesDecimal = 24
)

// buildList counts a list about to be built, and the work of building it.
func (m *meter) buildList(length int) error {
	if err := m.spend(length); err != nil {
		return err
	}
	return m.build(length * bytesItem)
}

// buildRecord counts a record about to be built, and the work of building it.
func (m *meter) buildRecord(fields int) error {
	if err := m.spend(fields); err != nil {
		return err
	}
	return m.build(fields * bytesField)
}

// buildText counts a text about to be built, and the work of building it.
func (m *meter) buildText(length int) error {
	if err := m.spend(length / 64); err != nil {
		return err
	}
	return m.build(length)
}
