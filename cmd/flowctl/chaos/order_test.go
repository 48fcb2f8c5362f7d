//go:build linux

package chaos

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// orderApp has two flows that listen to the same event. Each of their runs writes
// three times to one Odoo record, the event's, and says which run and step it is.
var orderApp = map[string]string{
	"app.yaml": `app: order
title: Order per key
connections:
  woocommerce:
    connector: woocommerce
    settings: {url: "${settings.shop_url}", consumer_key: "${settings.consumer_key}", consumer_secret: "${settings.consumer_secret}", webhook_secret: "${settings.webhook_secret}"}
  odoo:
    connector: odoo
    settings: {url: "${settings.odoo_url}", database: "${settings.odoo_db}", login: "${settings.odoo_login}", api_key: "${settings.odoo_api_key}"}
settings:
  - tab: all
    title: All
    fields:
      - {name: shop_url, title: Shop, type: text}
      - {name: consumer_key, title: Key, type: secret}
      - {name: consumer_secret, title: Secret, type: secret}
      - {name: webhook_secret, title: Webhook, type: secret}
      - {name: odoo_url, title: Odoo, type: text}
      - {name: odoo_db, title: Database, type: text}
      - {name: odoo_login, title: Login, type: text}
      - {name: odoo_api_key, title: Key, type: secret}
flows: [first, second]
`,
	"first.yaml":  orderFlow("first"),
	"second.yaml": orderFlow("second"),
}

func orderFlow(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "flow: %s\ntitle: %s\ntrigger:\n  event: woocommerce.order.updated\n  key: partner:${event.id}\nsteps:\n", name, name)
	for _, step := range []string{"begins", "works", "ends"} {
		fmt.Fprintf(&b, "  - name: %s\n    call: odoo.write\n    with:\n      model: res.partner\n      id: ${event.id}\n"+
			"      values: {comment: \"${text(run.id)} %s %s\"}\n", step, name, step)
	}
	return b.String()
}

// visit is one write to a record: by which run, and from when to when.
type visit struct {
	run        int64
	what       string
	begin, end time.Time
}

// visitors notes the writes to each record on their way to Odoo, and now and then
// refuses one.
type visitors struct {
	t      *testing.T
	erp    *odoosandbox.ERP
	chance chance

	mu     sync.Mutex
	log    map[int64][]*visit // by record
	count  int
	refuse int // of a hundred
}

// ServeHTTP passes a request on to Odoo.
func (v *visitors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // a worker that was killed while it wrote
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	begun, slow, refused := v.begin(body)
	if begun != nil {
		time.Sleep(slow)
		defer func() {
			v.mu.Lock()
			begun.end = time.Now()
			v.mu.Unlock()
		}()
	}
	if refused {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	v.erp.ServeHTTP(w, r)
}

func (v *visitors) begin(body []byte) (begun *visit, slow time.Duration, refused bool) {
	var request struct {
		Params struct{ Args []json.RawMessage }
	}
	var method, comment string
	var args []json.RawMessage
	var ids []int64
	var values struct{ Comment string }
	if json.Unmarshal(body, &request) != nil || len(request.Params.Args) < 6 ||
		json.Unmarshal(request.Params.Args[4], &method) != nil || method != "write" ||
		json.Unmarshal(request.Params.Args[5], &args) != nil || len(args) < 2 ||
		json.Unmarshal(args[0], &ids) != nil || json.Unmarshal(args[1], &values) != nil {
		return nil, 0, false
	}
	number, what, _ := strings.Cut(values.Comment, " ")
	run, err := strconv.ParseInt(number, 10, 64)
	if err != nil || len(ids) != 1 {
		v.t.Errorf("a write of %q to %v", comment, ids)
		return nil, 0, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count++
	random := v.chance.of("visit", v.count)
	begun = &visit{run: run, what: what, begin: time.Now()}
	v.log[ids[0]] = append(v.log[ids[0]], begun)
	return begun, time.Duration(random.IntN(12)) * time.Millisecond, random.IntN(100) < v.refuse
}

// check finds overlaps and inversions: a run of a record begins when the run
// before it has ended, and none comes back after a later one.
func (v *visitors) check() (runs int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for record, visits := range v.log {
		slices.SortStableFunc(visits, func(a, b *visit) int { return a.begin.Compare(b.begin) })
		for i, now := range visits {
			if i == 0 {
				runs++
				continue
			}
			before := visits[i-1]
			if now.run != before.run {
				runs++
			}
			if now.run < before.run {
				v.t.Errorf("record %d: run %d (%s) came after run %d (%s)", record, now.run, now.what, before.run, before.what)
			}
			if now.begin.Before(before.end) {
				v.t.Errorf("record %d: run %d (%s) began %v before run %d (%s) had ended",
					record, now.run, now.what, before.end.Sub(now.begin), before.run, before.what)
			}
			if now.run != before.run && !strings.HasSuffix(before.what, "ends") {
				v.t.Errorf("record %d: run %d began before run %d was done, which was at %q", record, now.run, before.run, before.what)
			}
		}
	}
	return runs
}

// TestOrderPerKey looks, from Odoo's side, at four processes that work the same
// keys while they are killed and refused.
func TestOrderPerKey(t *testing.T) {
	t.Parallel()
	chance := newChance(t)
	onEach(t, func(t *testing.T, make func(*testing.T) database) { orderPerKey(t, make(t), chance) })
}

func orderPerKey(t *testing.T, d database, chance chance) {
	const records, rounds = 6, 40
	folder := t.TempDir()
	for name, text := range orderApp {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v := &visitors{t: t, chance: chance, log: map[int64][]*visit{}, refuse: 10}
	front := httptest.NewServer(v)
	t.Cleanup(front.Close)
	w := setup(t, d, chance, 0, "FLOWCTL_FLOWS="+folder, "FLOWCTL_ODOO_URL="+front.URL)
	v.erp = w.erp
	for range 4 {
		w.join()
	}
	var ids []int64
	for i := range records {
		id, err := w.erp.Create("res.partner", odoosandbox.Values{"name": fmt.Sprint("record ", i)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			random := chance.of("sender", sender)
			for range rounds * records / 4 {
				time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
				announce(t, w, ids[random.IntN(records)], random.IntN(4))
			}
		})
	}
	random := chance.of("kills")
	for range 8 {
		time.Sleep(time.Duration(200+random.IntN(400)) * time.Millisecond)
		w.processes[random.IntN(4)].end(syscall.SIGKILL, 0)
	}
	senders.Wait()
	eventually(t, 2*time.Minute, "nothing is left to do", func() bool { return open(w.counts()) == 0 })
	for _, r := range w.runs(store.RunFilter{}) {
		if r.State != store.Succeeded {
			t.Errorf("run %d is %s: %s", r.ID, r.State, r.Reason)
		}
	}
	runs := v.check()
	t.Logf("%s: %d runs on %d records by 4 processes, %d writes", d.name, runs, records, v.count)
	if runs < 2*records {
		t.Errorf("only %d runs: this showed nothing", runs)
	}
}

// announce brings a signed order.updated until one of the processes takes it.
func announce(t *testing.T, w *world, id int64, to int) {
	body := fmt.Appendf(nil, `{"id":%d,"status":"processing"}`, id)
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write(body)
	for try := 0; !t.Failed(); try++ {
		status := deliver(t, w.processes[(to+try)%len(w.processes)], body, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		if status == http.StatusOK {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// deliver posts a webhook once; 0 when there was no answer.
func deliver(t *testing.T, to *process, body []byte, signature string) int {
	request, err := http.NewRequest(http.MethodPost, to.hooks(), bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-WC-Webhook-Topic", "order.updated")
	request.Header.Set("X-WC-Webhook-Signature", signature)
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}
