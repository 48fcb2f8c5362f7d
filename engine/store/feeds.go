package store

import (
	"context"
	"time"
)

// FeedState is where a feed of an instance stands. Zero times are of what has not
// happened yet.
type FeedState struct {
	Instance, Name string
	// Cursor is where the next page begins; "" is the beginning, which is Since
	// where the feed can begin at a time.
	Cursor string
	Since  time.Time
	// Walking: a walk has begun, at WalkAt, and has not come to its end. Walk
	// numbers it.
	Walking bool
	Walk    int64
	WalkAt  time.Time
	// Sweep: the walk announces all that it meets, changed or not.
	Sweep bool
	// Started: the very first walk has come to its end.
	Started bool
	// CoveredTo is when the last walk that came to its end had begun: what changed
	// before that was announced.
	CoveredTo time.Time

	LastPoll    time.Time
	LastSuccess time.Time
	FailedAt    time.Time
	LastError   string // of the last poll; "" when it went well
	Failures    int    // in a row
	RetryAt     time.Time
	Events      int64 // made in all
	Known       int64 // records that it knew when the last walk ended
	AskedAt     time.Time
	AskedSince  time.Time // to begin again from there
	// AcceptGone: a person said that what the next walk misses is gone.
	AcceptGone bool
	Owner      string // who polls it now; "" for nobody
	// Now is the database's clock as this was read.
	Now time.Time
}

// Due tells whether the feed is to be polled, when that is done every so often.
func (f FeedState) Due(every time.Duration) bool {
	now := f.Now
	switch {
	case f.Owner != "":
		return false
	case f.Failures > 0:
		return !f.RetryAt.After(now)
	case !f.AskedAt.IsZero() && !f.AskedAt.After(now):
		return true
	}
	return f.Walking || !f.LastPoll.Add(every).After(now)
}

// FeedLease is the right to poll a feed, until it ends.
type FeedLease struct {
	Instance, Name, Owner string
	Epoch                 int64
}

// FeedRequest asks for a poll without waiting for its time.
type FeedRequest struct {
	After time.Duration // not before
	// Urgent does not wait for the next attempt after a failed one either.
	Urgent bool
	// Since, if set, begins again from there at the latest: what was not yet
	// announced is not passed over.
	Since time.Time
	// AcceptGone announces as deleted what the next walk misses, however much.
	AcceptGone bool
}

// FeedPage is a page of a walk with what becomes of it.
type FeedPage struct {
	// Arrivals are stored, as by Accept, in the same commit that moves the cursor.
	Arrivals []Arrival
	// Seen are records that the walk met, by key, with their fingerprints.
	Seen map[string]string
	// Gone are records to be forgotten.
	Gone []string
	// Cursor, if set, is where the next page begins.
	Cursor *string
	// TTL extends the lease from now.
	TTL time.Duration
}

// FeedEnd ends a poll.
type FeedEnd struct {
	// Err is why it failed, "" when it went well; then it is tried again After.
	Err   string
	After time.Duration
	// Walked: the walk came to its end.
	Walked bool
	// Known is the number of records that the feed knows, after a walk through all.
	Known int64
}

// Feeds is where change feeds stand.
type Feeds interface {
	// Feeds lists the feeds of an instance ("" for all) that were ever polled or
	// asked for, by instance and name.
	Feeds(ctx context.Context, instance string) ([]FeedState, error)

	// ClaimFeed leases a feed for ttl and begins a poll, and a walk if none is under
	// way, or gives ErrNotRunnable: it is not due, being done every so often, or
	// somebody else polls it. since is where the very first walk begins.
	ClaimFeed(ctx context.Context, instance, name, owner string, since time.Time, every, ttl time.Duration) (FeedState, FeedLease, error)

	// RenewFeed extends a lease by ttl from now, or gives ErrLeaseLost.
	RenewFeed(ctx context.Context, lease FeedLease, ttl time.Duration) error

	// SaveFeed stores a page in one commit, if the lease still holds.
	SaveFeed(ctx context.Context, lease FeedLease, page FeedPage) ([]Accepted, error)

	// EndFeed ends a poll and its lease.
	EndFeed(ctx context.Context, lease FeedLease, end FeedEnd) error

	// AskFeed asks for a poll. Many that ask before it begins are served by one; who
	// asks while it is under way is served by another one.
	AskFeed(ctx context.Context, instance, name string, request FeedRequest) error

	// ResetFeed forgets where a feed stands and what it knows: it begins as it did
	// the very first time. A poll under way loses its lease.
	ResetFeed(ctx context.Context, instance, name string) error

	// FeedRecords reads the fingerprints of those keys that the feed knows.
	FeedRecords(ctx context.Context, instance, name string, keys ...string) (map[string]string, error)

	// FeedMissing lists keys that no walk from this one on has met, those behind
	// after, in their order; FeedCounts counts the records known, and those missing.
	FeedMissing(ctx context.Context, instance, name string, walk int64, after string, limit int) ([]string, error)
	FeedCounts(ctx context.Context, instance, name string, walk int64) (known, missing int64, err error)
}

// ScheduleState is the last slot that a schedule has had.
type ScheduleState struct {
	Instance, Name string
	Slot           time.Time
	FiredAt        time.Time // when it last made an event; zero for never
}

// Schedules is which slots schedules have had.
type Schedules interface {
	// Fire stores the arrivals, as Accept does, unless the schedule has had this
	// slot or a later one, and tells whether it did. The very first slot of a
	// schedule is only noted: it lies before anybody wanted it. Without arrivals the
	// slot is passed over.
	Fire(ctx context.Context, instance, schedule string, slot time.Time, arrivals ...Arrival) (accepted []Accepted, fired bool, err error)

	// Schedules lists the schedules of an instance ("" for all) by instance and name.
	Schedules(ctx context.Context, instance string) ([]ScheduleState, error)

	// Clock is the database's clock.
	Clock(ctx context.Context) (time.Time, error)
}
