// Package store is the engine's memory: events, runs, their step journal,
// links, cursors, settings and leases. What was accepted is here before it is
// answered; the queue can be wiped and is refilled from here.
//
// Every row belongs to an instance (one shop). Times are UTC and taken from the
// database's clock, so that workers with wrong clocks agree; only the Started
// and Ended of a [Step] are the worker's own.
package store

import (
	"context"
	"errors"
	"time"
)

// Errors that callers tell apart.
var (
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrLeaseLost: the run's lease has passed to another worker or ended.
	// Nothing was written.
	ErrLeaseLost = errors.New("the lease on this key is no longer ours")
	// ErrNotRunnable: the run is not waiting, not due, not first of its key, or
	// its key is leased. Another worker or the dispatcher will take care of it.
	ErrNotRunnable = errors.New("the run is not ready to be worked")
	// ErrClaimed: another live run is making this record now. Try again soon.
	ErrClaimed = errors.New("another run is making this record")
	// ErrLinkTaken: the local or remote side is linked to something else.
	ErrLinkTaken = errors.New("already linked to another record")
	// ErrInvalid: the caller asked for something that cannot be stored, such as
	// an event without an instance or a key of more than [MaxName] bytes. Trying
	// again does not help.
	ErrInvalid = errors.New("cannot be stored")
	// ErrUnavailable wraps failures of the database itself: full, read-only, gone.
	ErrUnavailable = errors.New("the store is not available")
)

// MaxName bounds instances, flows, keys and both sides of links, in bytes:
// they are indexed, and an index entry has its limit in every database.
const MaxName = 1000

// Event is something that was announced and accepted.
type Event struct {
	ID       int64
	Instance string
	// Source says where it came from: "webhook", "feed", "schedule", "manual", "flow".
	Source string
	// Name is connection and event: "woocommerce.order.created"; "" when the
	// delivery could not be named, and then Note says why.
	Name     string
	Delivery string    // the remote system's name of the delivery, for people
	Payload  []byte    // JSON of ${event}, encoded by package value rules
	Note     string    // what was odd about it
	At       time.Time // when it was accepted
}

// Start is a run that an accepted event begins, or folds into.
type Start struct {
	Flow string
	// Order is the flow's place in app.yaml: runs of one key are worked in order
	// of their event, then of this.
	Order int
	Key   string // runs of one key never overlap, whatever their flow
	// Version is the flow's content hash, kept with the run.
	Version string
	// Input is JSON, for manual starts and sub-flows; nil otherwise. A start folds
	// only into a run of the same input.
	Input []byte
	// Problem, when set, starts the run in state Failed with this error (its key
	// could not be computed, say), so that nothing accepted is out of sight.
	Problem string
}

// Arrival is an event with the runs it starts.
type Arrival struct {
	Event  Event
	Starts []Start
}

// Accepted says what became of an arrival.
type Accepted struct {
	EventID int64
	RunIDs  []int64 // one for each Start, new or folded into
}

// State is where a run stands.
type State string

// The states of runs. Waiting, Running and Retrying runs are open; a key's open
// runs are worked one at a time in order. Held runs step aside until a later
// event folds into them or a person retries them.
const (
	Waiting   State = "waiting"
	Running   State = "running"
	Retrying  State = "retrying"
	Held      State = "held"
	Succeeded State = "succeeded"
	Skipped   State = "skipped"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Run is one working-off of one flow for one key.
type Run struct {
	ID        int64
	Instance  string
	Flow      string
	Key       string
	Version   string
	State     State
	EventID   int64 // the newest event folded into it
	Event     []byte
	EventName string
	Input     []byte
	Attempt   int // starts at 1 with the first claim and never goes back
	// Tries counts the claims since the run was made, reopened, or folded into
	// while held: what a limit on retries should look at.
	Tries  int
	DueAt  time.Time // not before
	Result []byte    // JSON of the flow's result, once it succeeded
	// Reason is why it was skipped, is held, is retrying or has failed; Code its
	// kind; Advice what a person can do.
	Reason, Code, Advice string
	CreatedAt, UpdatedAt time.Time
	StartedAt, EndedAt   time.Time // zero when not yet
}

// Lease is a worker's right to work a key, until it ends. All journal and link
// writes are conditional on it.
type Lease struct {
	Instance string
	Key      string
	RunID    int64
	Epoch    int64 // grows with each lease of the key
	Owner    string
}

// Outcome ends a lease: what became of the run.
type Outcome struct {
	State  State // Succeeded, Skipped, Retrying, Held, Failed, Cancelled, or Waiting to hand it back
	Reason string
	Code   string
	Advice string
	After  time.Duration // for Retrying: due this long from now
	Result []byte        // JSON of the flow's result, may be nil
}

// Step is a journal entry. Path names the step within the run:
// "partner", "lines[3]", "totals/round" for a sub-flow's step.
type Step struct {
	Path    string
	State   StepState
	Hash    string // of the step's definition, so that a replay knows whether it still fits
	Input   []byte
	Output  []byte
	Error   string
	Started time.Time
	Ended   time.Time
	// Attempts is, of a write, the run's attempt that began it last; 0 of steps
	// that write nothing.
	Attempts int
}

// StepState is where a step stands.
type StepState string

// The states of steps. A step found Started by a later attempt was interrupted:
// it is not known whether its write happened.
const (
	StepStarted StepState = "started"
	StepDone    StepState = "done"
	StepSkipped StepState = "skipped"
	StepFailed  StepState = "failed"
)

// LinkState is where a link stands.
type LinkState string

// The states of links.
const (
	LinkClaimed LinkState = "claimed" // a run is making the other side
	Linked      LinkState = "linked"
)

// Link says which local record is which remote record.
type Link struct {
	ID       int64
	Instance string
	Table    string
	Local    string // "" while claimed from the remote side
	Remote   string // "" while claimed from the local side
	State    LinkState
	// Fingerprints is JSON, by field: what was last written or read, so that no
	// difference means no write.
	Fingerprints []byte
	Epoch        int64 // of the lease that wrote it last
	RunID        int64 // that wrote it last
	UpdatedAt    time.Time
}

// LinkKey names one side of a link.
type LinkKey struct {
	Table string
	Side  Side
	Value string
}

// Side is a side of a link.
type Side string

// The sides of links.
const (
	Local  Side = "local"
	Remote Side = "remote"
)

// RunFilter selects runs; zero fields do not restrict.
type RunFilter struct {
	Instance string
	Flow     string
	Key      string
	// Record selects keys that end in ":" and this: whatever is done for the
	// record of that id.
	Record  string
	States  []State
	EventID int64
	Since   time.Time // by UpdatedAt
	Before  int64     // runs with a smaller id: the next page
	Limit   int       // 0 means 100
}

// LinkFilter selects links; zero fields do not restrict.
type LinkFilter struct {
	Instance string
	Table    string
	Local    string
	Remote   string
	After    int64 // links with a greater id: the next page
	Limit    int   // 0 means 100
}

// MaxPage bounds what one listing returns.
const MaxPage = 1000

// Retention says what Prune keeps. Zero fields do not restrict; the zero
// Retention keeps everything.
type Retention struct {
	// Age keeps what ended, or was accepted without starting anything, less than
	// this long ago.
	Age time.Duration
	// Runs keeps at most this many ended runs, and as many events without runs,
	// over all instances.
	Runs int
	// Bytes keeps at most this much payload and journal, as far as ended runs and
	// events without runs make it up. Indexes and free pages are not counted.
	Bytes int64
}

// Pruned counts what was forgotten.
type Pruned struct {
	Runs   int
	Events int
	Leases int // of keys that have no runs any more
}

// CodeErased is the Code of runs whose data was erased.
const CodeErased = "erased"

// Findings say where a text occurs, by ids in ascending order.
type Findings struct {
	Events []int64
	Runs   []int64 // by their own fields, their journal or their events
	Links  []Link
}

// Store is the engine's memory. Implementations are safe for concurrent use by
// many processes. Every error that comes from the database itself wraps
// [ErrUnavailable].
type Store interface {
	Accounts
	Feeds
	History
	Schedules

	// Accept stores events and the runs they start. It returns when they are
	// durable; concurrent calls share a commit. A start folds into a Waiting run
	// of the same (instance, flow, key) — the run re-reads anyway — and into a
	// Held one, which becomes Waiting again; otherwise it makes a new run. The
	// arrivals of one call are stored together or not at all; another call's bad
	// arrival does no harm to them. A call that ends with its context's error may
	// still be stored.
	Accept(ctx context.Context, arrivals ...Arrival) ([]Accepted, error)

	// Ready lists runs that can be claimed now, at most limit for each instance,
	// longest ready first, instances in turn: due, first of their key, key not
	// leased. Their Event, Input and Result are not read.
	Ready(ctx context.Context, limit int) ([]Run, error)

	// NextDue says how long until the next Retrying run becomes due; false when
	// none waits. Runs that are due already are Ready's. Ask before Ready, so that
	// none becomes due between the two.
	NextDue(ctx context.Context) (time.Duration, bool, error)

	// Claim leases the run's key for ttl and marks the run Running, or gives
	// ErrNotRunnable. A Running run whose lease has ended can be claimed again.
	Claim(ctx context.Context, runID int64, owner string, ttl time.Duration) (Run, Lease, error)

	// Renew extends a lease by ttl from now, or gives ErrLeaseLost.
	Renew(ctx context.Context, lease Lease, ttl time.Duration) error

	// Finish records the outcome and ends the lease. It returns the next run of
	// the same key that is ready, 0 when none is. A run that was handed back
	// (Waiting) is itself the next. A run that is held takes in what was accepted
	// for it meanwhile: if there was anything, it becomes Waiting again.
	//
	// With announce those arrivals are stored in the same commit: what became of
	// the run is not known without them, nor they without it.
	Finish(ctx context.Context, lease Lease, outcome Outcome, announce ...Arrival) (next int64, err error)

	// SaveSteps writes journal entries in one commit, replacing those of the
	// same path, if the lease still holds.
	SaveSteps(ctx context.Context, lease Lease, steps ...Step) error

	// Steps reads a run's journal in the order the steps were first written.
	Steps(ctx context.Context, runID int64) ([]Step, error)

	// Run reads one run.
	Run(ctx context.Context, id int64) (Run, error)

	// Runs lists runs, newest first, at most [MaxPage].
	Runs(ctx context.Context, filter RunFilter) ([]Run, error)

	// Events lists an instance's events, newest first, with id below before (0:
	// all), at most [MaxPage] (limit 0: 100).
	Events(ctx context.Context, instance string, before int64, limit int) ([]Event, error)

	// Reopen makes ended or held runs Waiting again, for a person's retry. With
	// fresh, their journal is dropped and they begin from the start. It returns
	// those that were reopened; runs of CodeErased never are. A run keeps its
	// place in its key, so it goes before the runs of later events.
	Reopen(ctx context.Context, fresh bool, runIDs ...int64) ([]int64, error)

	// Cancel sets runs aside for good, because a person said why: Waiting,
	// Retrying, Held and Failed ones become Cancelled with that reason,
	// their own in brackets behind it. It returns those that were
	// cancelled; a Running run is left to its worker.
	Cancel(ctx context.Context, reason string, runIDs ...int64) ([]int64, error)

	// FindLink finds a link by one side; a claimed one is returned too. nil when
	// there is none.
	FindLink(ctx context.Context, instance string, key LinkKey) (*Link, error)

	// FindLinks finds many links at once, one for each key in their order, nil
	// where there is none. A key that could not be stored has none.
	FindLinks(ctx context.Context, instance string, keys ...LinkKey) ([]*Link, error)

	// ClaimLinks makes a claimed row for each key that has none, all or nothing.
	// Rows found are returned as they are, in the order of keys; a row claimed by
	// another run that still holds its lease gives ErrClaimed, one left by a run
	// that does not (another run's, or an earlier attempt's) is taken over.
	ClaimLinks(ctx context.Context, lease Lease, keys ...LinkKey) ([]Link, error)

	// ClaimEach does what ClaimLinks does for each of many groups of keys, in one
	// commit: a group that cannot be claimed says why and claims nothing, the
	// others are claimed all the same.
	ClaimEach(ctx context.Context, lease Lease, groups ...[]LinkKey) ([]LinkClaim, error)

	// SaveLinks writes links in one commit, if the lease still holds: a claimed
	// row of either side is filled, a linked row of the same pair is updated, a
	// pair that is new is inserted. A side that is linked to something else gives
	// ErrLinkTaken, unless the write is marked Replace; a side that another live
	// run has claimed gives ErrClaimed. Nil Fingerprints leave those of a pair
	// that stays the same.
	SaveLinks(ctx context.Context, lease Lease, links ...LinkWrite) error

	// SaveEach does what SaveLinks does for each of many groups of links, in one
	// commit: for each group nil, or why nothing of it was written.
	SaveEach(ctx context.Context, lease Lease, groups ...[]LinkWrite) ([]error, error)

	// PutLinks writes links as SaveLinks does, for a person who imports them: in
	// one commit, without a lease. What a live run has claimed gives ErrClaimed.
	PutLinks(ctx context.Context, instance string, links ...LinkWrite) error

	// Unclaim removes claims that the lease's run holds and has not filled.
	Unclaim(ctx context.Context, lease Lease) error

	// Links lists links by id, at most [MaxPage]. Paging with After exports all.
	Links(ctx context.Context, filter LinkFilter) ([]Link, error)

	// DeleteLink removes a link by id.
	DeleteLink(ctx context.Context, instance string, id int64) error

	// Cursor reads where a feed of an instance stands; "" when it never ran.
	Cursor(ctx context.Context, instance, name string) (string, error)
	// SetCursor moves it.
	SetCursor(ctx context.Context, instance, name, value string) error

	// Settings reads an instance's settings: JSON by name. Secrets are sealed by
	// the caller.
	Settings(ctx context.Context, instance string) (map[string][]byte, error)
	// SaveSettings writes some of them; a nil value removes one. The arrivals that
	// announce it are stored in the same commit.
	SaveSettings(ctx context.Context, instance string, values map[string][]byte, announce ...Arrival) ([]Accepted, error)

	// Instances lists all instances by name. main is there from the beginning.
	Instances(ctx context.Context) ([]Instance, error)
	// Instance reads one, or gives ErrNotFound.
	Instance(ctx context.Context, name string) (Instance, error)
	// AddInstance makes an active instance, or gives ErrInvalid when there is one of
	// that name.
	AddInstance(ctx context.Context, name, title string) error
	// SetInstance changes an instance's title and whether it is active or paused:
	// the runs of a paused instance are not ready and cannot be claimed.
	SetInstance(ctx context.Context, name, title string, state InstanceState) error
	// RemoveInstance forgets a paused instance with all that belongs to it, in small
	// commits. One that was interrupted is Removing, and removed by another call.
	RemoveInstance(ctx context.Context, name string) error

	// Backlog counts an instance's runs that are open, held or failed.
	Backlog(ctx context.Context, instance string) (Backlog, error)
	// Status sums up how an instance stands.
	Status(ctx context.Context, instance string) (Status, error)
	// Problems lists an instance's Held and Failed runs, without their events, inputs
	// and results.
	Problems(ctx context.Context, filter ProblemFilter) ([]Run, error)
	// Unlink removes the link of a pair, or of one side where the other is "", if
	// the lease still holds. It tells whether there was one; one that another live
	// run has claimed gives ErrClaimed.
	Unlink(ctx context.Context, lease Lease, table, local, remote string) (bool, error)

	// Counts returns the number of runs by state for an instance ("" for all).
	Counts(ctx context.Context, instance string) (map[State]int, error)

	// Prune forgets what is old: ended runs with their journal and events, and
	// events that have no runs. Links, cursors, settings, open and held runs stay.
	// It works in small commits and may be stopped at any time.
	Prune(ctx context.Context, policy Retention) (Pruned, error)

	// Find lists where a text, such as a person's e-mail address, occurs in an
	// instance's events, runs, journals and links, ignoring case. It reads all of
	// them: seconds to minutes, not for every day.
	Find(ctx context.Context, instance, text string) (Findings, error)

	// Erase redacts what Find finds, for a person's right to be forgotten:
	// payloads, inputs, results, reasons and journal entries of the runs found, and
	// the fingerprints of links. The skeleton stays: that there was an event, a
	// run, a step, and when. Held runs among them become Cancelled, for there is
	// nothing left to retry with; a run's key that contains the text is replaced.
	// Open runs and links whose own side is the text are left alone and returned,
	// for the caller to wait for, or to delete with DeleteLink.
	Erase(ctx context.Context, instance, text string) (erased, left Findings, err error)

	// Ping checks that the store can be written.
	Ping(ctx context.Context) error
	Close() error
}

// LinkClaim is what a group of keys got: its rows in the order of the keys, or
// why it got none.
type LinkClaim struct {
	Links []Link
	Err   error
}

// LinkWrite is a link to write.
type LinkWrite struct {
	Table        string
	Local        string
	Remote       string
	Fingerprints []byte
	// Replace lets the pair take over from a row that has the same Local and
	// another Remote, or the other way round: the record changed its key.
	Replace bool
}
