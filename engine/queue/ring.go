package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/flowctl/flowctl/engine/store"
)

// TaskPrefix begins the type of every task; the flow's name follows.
const TaskPrefix = "flow:"

// taskTimeout is asynq's bound on a task. The store's lease is the real one, so
// this must only never come first.
const taskTimeout = 30 * 24 * time.Hour

// ticket is a task's payload.
type ticket struct {
	Instance string `json:"instance"`
	Run      int64  `json:"run"`
	Key      string `json:"key"`
}

// Ring tells the workers that a run is ready. Ringing twice for the same attempt
// is one ring.
func (q *Queue) Ring(ctx context.Context, run store.Run) error {
	return q.ring(ctx, run, 0, q.config.Name)
}

// taskID names a ring. The attempt is in it because the task of an earlier one
// may still be active in Redis, by a worker that died with it, and would make
// asynq refuse the new one. The generation does the same for a worker that died
// before it claimed the run.
func taskID(run store.Run, generation int) string {
	if generation == 0 {
		return fmt.Sprintf("%d.%d", run.ID, run.Attempt)
	}
	return fmt.Sprintf("%d.%d.%d", run.ID, run.Attempt, generation)
}

func (q *Queue) ring(ctx context.Context, run store.Run, generation int, queue string) error {
	payload, err := json.Marshal(ticket{Instance: run.Instance, Run: run.ID, Key: run.Key})
	if err != nil {
		return fmt.Errorf("ringing for run %d: %w", run.ID, err)
	}
	// MaxRetry 0: whether a run is tried again is the store's business. No Unique:
	// beside a TaskID its lock would stay behind after a conflict.
	_, err = q.client.EnqueueContext(ctx, asynq.NewTask(TaskPrefix+run.Flow, payload),
		asynq.TaskID(taskID(run, generation)), asynq.Queue(queue),
		asynq.MaxRetry(0), asynq.Timeout(taskTimeout))
	switch {
	case err == nil:
		q.rings.send()
		return nil
	case errors.Is(err, asynq.ErrTaskIDConflict):
		return nil
	}
	return fmt.Errorf("ringing for run %d: %w", run.ID, err)
}

// waiting tells whether a ring still waits for a worker. One that does not, while
// its run stays ready, was taken by a worker that died, or was archived by asynq;
// an archived one is removed, for the store keeps what failed.
func (q *Queue) waiting(run store.Run, generation int) (bool, error) {
	for _, queue := range q.names() {
		if waits, err := q.waitingIn(queue, run, generation); waits || err != nil {
			return waits, err
		}
	}
	return false, nil
}

func (q *Queue) waitingIn(queue string, run store.Run, generation int) (bool, error) {
	id := taskID(run, generation)
	info, err := q.inspector.GetTaskInfo(queue, id)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking for the ring of run %d: %w", run.ID, err)
	}
	switch info.State {
	case asynq.TaskStatePending, asynq.TaskStateScheduled, asynq.TaskStateRetry:
		return true, nil
	case asynq.TaskStateArchived, asynq.TaskStateCompleted:
		err := q.inspector.DeleteTask(queue, id)
		if err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return false, fmt.Errorf("removing the dead ring of run %d: %w", run.ID, err)
		}
	}
	return false, nil
}

// queuesKey is where asynq lists its queues. Its client adds to it only once in
// its life, so after a FLUSHALL the queue would work and not be shown.
const queuesKey = "asynq:queues"

func (q *Queue) publish(ctx context.Context) error {
	for _, name := range q.names() {
		if err := q.redis.SAdd(ctx, queuesKey, name).Err(); err != nil {
			return fmt.Errorf("publishing the queue: %w", err)
		}
	}
	return nil
}
