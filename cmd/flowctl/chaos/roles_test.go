//go:build linux

package chaos

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/flows"
)

// ticking writes the shipped app with one more schedule, each second, and returns
// the folder.
func ticking(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, flows.Files); err != nil {
		t.Fatal(err)
	}
	data, err := fs.ReadFile(flows.Files, "app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	app := map[string]any{}
	if err := yaml.Unmarshal(data, &app); err != nil {
		t.Fatal(err)
	}
	schedules, _ := app["schedules"].(map[string]any)
	if schedules == nil {
		schedules = map[string]any{}
	}
	schedules["tick"] = map[string]any{"every": "1s"}
	app["schedules"] = schedules
	app["flows"] = append(app["flows"].([]any), "tick")
	if data, err = yaml.Marshal(app); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"app.yaml":  data,
		"tick.yaml": []byte("flow: tick\ntitle: Tick\ntrigger: {event: schedule.tick, key: \"tick:${event.at}\"}\nsteps: [{name: x, map: 1}]\n"),
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestRoles runs two ingresses, four workers and two schedulers as processes on
// one Redis and one PostgreSQL, and kills one of each for good while orders
// arrive: nothing is lost, the work is shared, and every slot of a schedule fires
// once.
func TestRoles(t *testing.T) {
	t.Parallel()
	d := databases[1]
	w := setup(t, d.start(t)(t), newChance(t), 0)
	w.environment = append(w.environment, "FLOWCTL_FLOWS="+ticking(t), "FLOWCTL_LOG_LEVEL=debug")
	roles := map[string][]*process{}
	for _, role := range []string{"ingress", "worker", "scheduler"} {
		count := 2
		if role == "worker" {
			count = 4
		}
		for i := range count {
			roles[role] = append(roles[role], startProcess(t, role+" "+string(rune('A'+i)), append(w.environment[:len(w.environment):len(w.environment)], "FLOWCTL_ROLES="+role)))
		}
	}
	w.processes = roles["ingress"] // those that take deliveries
	c := startCourier(w)
	orders := int(number(t, ordersVariable, 100))
	s := w.shoppers(orders, func() { time.Sleep(20 * time.Millisecond) })
	eventually(t, 2*time.Minute, "some orders are imported", func() bool {
		return len(w.runs(store.RunFilter{Flow: importing, States: []store.State{store.Succeeded}})) >= orders/10
	})
	for _, role := range []string{"worker", "scheduler", "ingress"} {
		roles[role][0].stop()
	}
	<-s.done
	placed := s.orders
	c.settle(3 * time.Minute)
	eventually(t, 5*time.Minute, "every order is imported", func() bool {
		return len(w.runs(store.RunFilter{Flow: importing, States: []store.State{store.Waiting, store.Running, store.Retrying}})) == 0
	})
	roles["scheduler"][1].stop() // or there is always one more tick to work
	eventually(t, 5*time.Minute, "nothing is left to do", func() bool { return open(w.counts()) == 0 })
	w.verify(placed, c)

	worked := map[string]int{}
	for i, p := range roles["worker"] {
		worked[p.name] = p.count(`msg="run succeeded"`)
		if i > 0 && worked[p.name] == 0 {
			t.Errorf("%s did nothing", p.name)
		}
		if fell := p.falls(); len(fell) > 0 {
			t.Errorf("%s ended by itself: %v", p.name, fell)
		}
	}
	slots := w.slots("schedule.tick")
	t.Logf("%d orders; runs by worker %v (A was killed on the way); %d ticks, each once, longest gap %s", len(placed), worked, len(slots), longestGap(t, slots))
}

// slots are the times for which a schedule made events, in order. None has two.
func (w *world) slots(name string) []time.Time {
	w.t.Helper()
	var slots []time.Time
	seen := map[time.Time]bool{}
	for before := int64(0); ; {
		page, err := w.store.Events(context.Background(), instance, before, store.MaxPage)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page) == 0 {
			return slots
		}
		for _, e := range page {
			before = e.ID
			if e.Name != name {
				continue
			}
			var payload struct {
				At struct {
					Time time.Time `json:"$time"`
				} `json:"at"`
			}
			if err := json.Unmarshal(e.Payload, &payload); err != nil || payload.At.Time.IsZero() {
				w.t.Fatalf("%s has the payload %s: %v", name, e.Payload, err)
			}
			if seen[payload.At.Time] {
				w.t.Errorf("the slot %s fired twice", payload.At.Time)
			}
			seen[payload.At.Time] = true
			slots = append(slots, payload.At.Time)
		}
	}
}

// longestGap is the longest time between two slots, newest first.
func longestGap(t *testing.T, slots []time.Time) time.Duration {
	t.Helper()
	longest := time.Duration(0)
	for i := 1; i < len(slots); i++ {
		longest = max(longest, slots[i-1].Sub(slots[i]))
	}
	if len(slots) < 3 {
		t.Errorf("there are only %d ticks", len(slots))
	}
	return longest
}
