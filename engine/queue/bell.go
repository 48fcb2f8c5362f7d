package queue

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// publishEvery bounds how often other processes are woken.
const publishEvery = 20 * time.Millisecond

// bell wakes dispatchers: those of this process at once, those of others through
// Redis.
type bell struct {
	q    *Queue
	name string // of this process, to tell its own messages apart

	local *signals

	pending chan struct{}
	done    chan struct{}
	once    sync.Once
	wait    sync.WaitGroup
}

func newBell(q *Queue) *bell {
	b := &bell{
		q: q, name: rand.Text(),
		local:   newSignals(),
		pending: make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	if q.embedded == nil { // nobody else can be there
		b.wait.Go(b.publishing)
	}
	return b
}

// Doorbell says that the store has new work, after Accept or Reopen. It returns
// at once and never fails: the dispatchers look by themselves once in a while.
func (q *Queue) Doorbell() {
	q.bell.local.send()
	select {
	case q.bell.pending <- struct{}{}:
	default:
	}
}

func (b *bell) channel() string { return "flowctl:doorbell:" + b.q.config.Name }

func (b *bell) publishing() {
	for {
		select {
		case <-b.done:
			return
		case <-b.pending:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := b.q.redis.Publish(ctx, b.channel(), b.name).Err(); err != nil {
			b.q.logger.Debug("the doorbell was not heard by other processes", "error", err)
		}
		cancel()
		select {
		case <-b.done:
			return
		case <-time.After(publishEvery):
		}
	}
}

// subscribe rings the local listeners for the messages of other processes until
// ctx ends. The client reconnects by itself.
func (b *bell) subscribe(ctx context.Context) {
	if b.q.embedded != nil {
		return
	}
	subscription := b.q.redis.Subscribe(ctx, b.channel())
	defer subscription.Close()
	messages := subscription.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case message, ok := <-messages:
			if !ok {
				return
			}
			if message.Payload != b.name {
				b.local.send()
			}
		}
	}
}

func (b *bell) stop() {
	b.once.Do(func() { close(b.done) })
	b.wait.Wait()
}
