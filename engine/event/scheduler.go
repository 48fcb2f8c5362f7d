package event

import (
	"context"
	"log/slog"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// Scheduler makes the events of app.yaml's schedules, for all instances. Many may
// run: each slot makes one event. Of slots that passed while none ran, only the
// last is made up for.
type Scheduler struct {
	App       func() *flow.App
	Router    *Router
	Store     store.Store
	Settings  Settings
	Instances func(ctx context.Context) ([]string, error)
	Log       *slog.Logger
	// Tick is how often the clock is looked at; 0 means once a second.
	Tick time.Duration

	background
	done map[feedKey]time.Time // the last slot that the store has
	told map[feedKey]string
}

// Start begins, until Stop or the end of ctx.
func (s *Scheduler) Start(ctx context.Context) error {
	s.done, s.told = map[feedKey]time.Time{}, map[feedKey]string{}
	tick := s.Tick
	if tick <= 0 {
		tick = time.Second
	}
	return s.begin(ctx, tick, "the schedules", s.Log, s.look)
}

func (s *Scheduler) look(ctx context.Context) error {
	if len(s.App().Schedules) == 0 {
		return nil
	}
	instances, err := s.Instances(ctx)
	if err != nil {
		return err
	}
	now, err := s.Store.Clock(ctx)
	if err != nil {
		return err
	}
	for _, instance := range instances {
		var settings map[string]any
		for _, schedule := range s.App().Schedules {
			if settings == nil {
				if settings, err = s.Settings.Values(ctx, instance); err != nil {
					s.tell(instance, "", err)
					break
				}
				s.tell(instance, "", nil)
			}
			s.tell(instance, schedule.Name, s.fire(ctx, instance, schedule, settings, now))
		}
	}
	return nil
}

// fire makes the event of the schedule's last slot, unless that was done.
func (s *Scheduler) fire(ctx context.Context, instance string, schedule *flow.Schedule, settings map[string]any, now time.Time) error {
	last, _, err := schedule.Slot(ctx, settings, now)
	key := feedKey{instance, schedule.Name}
	if err != nil || last.IsZero() || s.done[key].Equal(last) {
		return err
	}
	on, err := schedule.On(ctx, settings)
	if err != nil {
		return err
	}
	var arrivals []store.Arrival
	if on {
		arrival, err := s.Router.Arrival(ctx, Incoming{
			Instance: instance, Source: SourceSchedule, Name: schedule.EventName(), Payload: map[string]any{"at": last},
		}, settings)
		if err != nil {
			return err
		}
		arrivals = append(arrivals, arrival)
	}
	accepted, fired, err := s.Store.Fire(ctx, instance, schedule.Name, last, arrivals...)
	if err != nil {
		return err
	}
	s.done[key] = last
	if fired {
		s.Router.stored(ctx, arrivals, accepted)
	}
	return nil
}

func (s *Scheduler) tell(instance, schedule string, err error) {
	message := ""
	if err != nil {
		message = err.Error()
	}
	key := feedKey{instance, schedule}
	if s.told[key] != message && message != "" {
		s.Log.Warn("a schedule cannot be looked after", "instance", instance, "schedule", schedule, "error", message)
	}
	s.told[key] = message
}
