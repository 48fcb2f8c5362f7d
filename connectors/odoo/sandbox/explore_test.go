package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestExplore(t *testing.T) {
	spec := os.Getenv("EXPLORE")
	if spec == "" {
		t.Skip()
	}
	parts := strings.SplitN(spec, ":", 3)
	setups := map[string]func(*testing.T, *replay){"shop18": shopOf18, "shop19": shopOf19, "orders18": ordersOf18, "stock18": stockOf18, "cat18": catalogueOf18, "stock19": stockOf19}
	gaps := map[string]steps{"stock18": sellingOf18(), "stock19": sellingOf19()}[parts[1]]
	version := 18
	if parts[0] == "odoo19" {
		version = 19
	}
	p := newReplay(t, version)
	setups[parts[1]](t, p)
	p.changing = append(p.changing, "write_date", "date_order", "scheduled_date", "date", "date_done", "effective_date", "in_date")
	for _, file := range numbered(t, filepath.Join(recordings(t), parts[0])) {
		if contains(parts[2], file[:3]) {
			p.now = p.now.Add(time.Second)
			if before := gaps[file[:3]]; before != nil {
				before(t, p)
			}
			p.play(loadExchange(t, filepath.Join(recordings(t), parts[0], file)))
		}
	}
}
