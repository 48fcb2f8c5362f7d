package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crypto/tls"
)

// recording is one exchange with a real shop.
type recording struct {
	name    string
	number  int
	Request *struct {
		Method  string
		Scheme  string
		Path    string
		Query   map[string]any
		Headers map[string]any
		Body    any
	}
	Response struct {
		Status  int
		Headers map[string]any
		Body    any
	}
}

// maxWaived is the share of the recordings that may be waived, in percent.
const maxWaived = 5

// TestReplay sends the recorded requests to a shop in the recorded state, in
// their order, and compares what comes back: status, code, paging, and every
// member that does not depend on the moment. Each recording is replayed here,
// shown by another test, or waived with a reason; a waiver that passes fails the
// test.
func TestReplay(t *testing.T) {
	t.Parallel()
	recordings := readRecordings(t)
	var shop *replayShop
	var replayed, shown, waived int
	for _, r := range recordings {
		reason, isWaived := waivers[r.number]
		_, isShown := shownBy[r.number]
		switch {
		case r.Request == nil || notReplayed[r.number]:
			switch {
			case isShown:
				shown++
			case isWaived:
				waived++
			default:
				t.Errorf("%s is neither replayed nor shown nor waived", r.name)
			}
			continue
		case shop == nil, r.number >= 501 && shop.from < 501, r.number >= 601 && shop.from < 601, r.number >= 711 && shop.from < 711:
			shop = seededShop(t, r.number)
		}
		found := shop.replay(r)
		switch {
		case isWaived:
			waived++
			if len(found) == 0 {
				t.Errorf("%s is covered; take it off the list (%s)", r.name, reason)
			}
		default:
			replayed++
			for _, difference := range found {
				t.Errorf("%s: %s", r.name, difference)
			}
		}
	}
	if waived*100 > maxWaived*len(recordings) {
		t.Errorf("%d of %d recordings are waived, more than %d %%", waived, len(recordings), maxWaived)
	}
	t.Logf("of %d recordings %d are replayed, %d shown by other tests, %d waived", len(recordings), replayed, shown, waived)
}

func readRecordings(t *testing.T) []recording {
	t.Helper()
	dir := filepath.Join(sharedDir(t), "recordings", "woo")
	files, _ := filepath.Glob(filepath.Join(dir, "[0-9]*.json"))
	if len(files) == 0 {
		t.Skipf("NO RECORDINGS in %s: the shop is not compared with a real one", dir)
	}
	slices.Sort(files)
	var all []recording
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		var r recording
		if err := decoder.Decode(&r); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		r.name = strings.TrimSuffix(filepath.Base(file), ".json")
		r.number, _ = strconv.Atoi(r.name[:3])
		all = append(all, r)
	}
	return all
}

// replayShop is the shop the recordings were made on.
type replayShop struct {
	*Shop
	t    *testing.T
	from int
	at   time.Time
	// receiver of the webhooks, where there is one
	receiver *receiver
}

const (
	replayKey, replaySecret = "ck_replay", "cs_replay"
)

func seededShop(t *testing.T, from int) *replayShop {
	t.Helper()
	rs := &replayShop{t: t, from: from, at: time.Date(2026, 11, 23, 9, 41, 9, 0, time.UTC)}
	set := DefaultSettings()
	set.Name = "Live Woo"
	s := New(Options{Settings: &set, Now: func() time.Time { return rs.at }, Client: &http.Client{Transport: deafReceiver{}}, Pictures: &http.Client{Transport: pictureServer{}}, Keys: []Key{
		{Key: replayKey, Secret: replaySecret}, {Key: "ck_ro", Secret: "cs_ro", Permission: "read"}, {Key: "ck_wo", Secret: "cs_wo", Permission: "write"}}})
	t.Cleanup(func() { s.Close() })
	rs.Shop = s
	s.AddTaxRate(TaxRate{Rate: "20.0000", Name: "VAT", Shipping: true})
	s.AddTaxRate(TaxRate{Rate: "5.5000", Name: "VAT reduced", Class: "reduced-rate", Shipping: true})
	mugs, clothing, shirts := Category{16, "Mugs"}, Category{17, "Clothing"}, Category{18, "T-shirts"}
	stock := func(n int64) *int64 { return &n }
	picture := func(id int64, name string) *Image {
		return &Image{ID: id, Src: "/wp-content/uploads/2026/11/" + name + ".png", Name: name}
	}
	for _, p := range []Product{
		{ID: 12, Name: "Blue mug", SKU: "MUG-BLUE", RegularPrice: "12.50", Stock: stock(40), Image: picture(11, "mug-blue"), Categories: []Category{mugs}},
		{ID: 14, Name: "Red mug", SKU: "MUG-RED", RegularPrice: "12.50", Stock: stock(25), Image: picture(13, "mug-red"), Categories: []Category{mugs}},
		{ID: 16, Name: "Travel mug", SKU: "MUG-TRAVEL", RegularPrice: "24.90", Stock: stock(10), Image: picture(15, "mug-travel"), Categories: []Category{mugs}},
		{ID: 18, Name: "Wool beanie", SKU: "BEANIE-01", RegularPrice: "19.00", Stock: stock(15), Image: picture(17, "beanie-01"), Categories: []Category{clothing}},
		{ID: 20, Name: "Leather belt", SKU: "BELT-01", RegularPrice: "35.00", Stock: stock(8), Image: picture(19, "belt-01"), Categories: []Category{clothing}},
		{ID: 22, Name: "T-shirt", SKU: "TSHIRT", Variable: true, Image: picture(21, "tshirt"), Categories: []Category{shirts}, Attributes: []Attribute{{1, "Color", []string{"Blue", "Red"}}, {2, "Size", []string{"M", "S"}}}},
		{ID: 23, Parent: 22, SKU: "TSHIRT-RED-S", RegularPrice: "20.00", Stock: stock(7), Attributes: []Attribute{{1, "Color", []string{"Red"}}, {2, "Size", []string{"S"}}}},
		{ID: 24, Parent: 22, SKU: "TSHIRT-RED-M", RegularPrice: "21.00", Stock: stock(7), Attributes: []Attribute{{1, "Color", []string{"Red"}}, {2, "Size", []string{"M"}}}},
		{ID: 25, Parent: 22, SKU: "TSHIRT-BLUE-S", RegularPrice: "20.00", Stock: stock(7), Attributes: []Attribute{{1, "Color", []string{"Blue"}}, {2, "Size", []string{"S"}}}},
		{ID: 26, Parent: 22, SKU: "TSHIRT-BLUE-M", RegularPrice: "21.00", Stock: stock(7), Attributes: []Attribute{{1, "Color", []string{"Blue"}}, {2, "Size", []string{"M"}}}},
	} {
		s.AddProduct(p)
	}
	s.terms[18].parent = 17
	for _, taxonomy := range []string{"pa_color", "pa_size"} {
		for _, one := range s.termsOf(taxonomy) {
			delete(s.terms, one.id)
		}
	}
	s.ids.term = 18
	for _, one := range [][2]string{{"pa_color", "Red"}, {"pa_color", "Blue"}, {"pa_size", "S"}, {"pa_size", "M"}} { // in the seed's order
		s.newTerm(0, one[0], one[1])
	}
	for id := range s.products { // what the seed wrote besides
		p := s.products[id]
		if p.kind == "simple" {
			p.other["description"] = "<p>The " + p.name + ".</p>\n"
			p.other["weight"] = "0.3"
		}
		p.other["rated"] = true
	}
	s.products[22].modified = rs.at.Add(time.Second)
	rs.at = rs.at.Add(time.Second)
	s.AddCoupon(Coupon{ID: 27, Code: "save10", Type: "percent", Amount: "10"})
	for _, u := range []Customer{
		{ID: 2, Email: "alice@example.test", FirstName: "Alice", LastName: "Martin"}, {ID: 3, Email: "bob@example.test", FirstName: "Bob", LastName: "Dupont"}, {ID: 4, Email: "carla@example.test", FirstName: "Carla"},
	} {
		address := map[string]string{"first_name": u.FirstName, "last_name": u.LastName, "address_1": "12 rue Exemple", "city": "Ville", "postcode": "75002", "country": "FR"}
		if u.ID == 3 {
			address["country"], address["postcode"] = "BE", "1000"
		}
		u.ShipTo = address
		u.Billing = map[string]string{"email": u.Email, "phone": "+33102030405"}
		for name, text := range address {
			u.Billing[name] = text
		}
		s.AddCustomer(u)
	}
	return rs
}

// deafReceiver takes every delivery.
type deafReceiver struct{}

func (deafReceiver) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

// replay sends a recorded request and returns what differs.
func (rs *replayShop) replay(r recording) []string {
	if stamp := asText(r.Response.Headers["Date"]); stamp != "" {
		if at, err := http.ParseTime(stamp); err == nil {
			rs.at = at
		}
	}
	if before, ok := unrecorded[r.number]; ok {
		before(rs)
	}
	rs.SetFault(faultOf(r))
	defer rs.SetFault(nil)
	rs.alignIDs(r)
	answer := httptest.NewRecorder()
	rs.ServeHTTP(answer, rs.request(r))
	var found []string
	if answer.Code != r.Response.Status {
		found = append(found, fmt.Sprintf("status %d, want %d: %.200s", answer.Code, r.Response.Status, answer.Body))
		return found
	}
	for _, name := range []string{"X-WP-Total", "X-WP-TotalPages", "Allow", "Location"} {
		if want := asText(r.Response.Headers[name]); answer.Header().Get(name) != want {
			found = append(found, fmt.Sprintf("header %s is %q, want %q", name, answer.Header().Get(name), want))
		}
	}
	want := r.Response.Body
	body := answer.Body.Bytes()
	if text, isText := want.(string); isText {
		if text == "" || strings.Contains(text, "<title>") { // a page
			if kind := asText(r.Response.Headers["Content-Type"]); answer.Header().Get("Content-Type") != kind {
				found = append(found, fmt.Sprintf("the page is %s, want %s", answer.Header().Get("Content-Type"), kind))
			}
			return found
		}
		noise, data := splitNoise(text)
		rest, isNoisy := strings.CutPrefix(string(body), noise)
		raw, err := decodeJSON([]byte(data))
		if !isNoisy || err != nil {
			return append(found, fmt.Sprintf("begins %.80q, want %.80q (%v)", body, noise, err))
		}
		want, body = raw, []byte(rest)
	}
	got, err := decodeJSON(body)
	if err != nil {
		return append(found, err.Error())
	}
	if _, lines := want.([]any); lines && asRecord(got)["line_items"] != nil { // only the lines were recorded (woo/310, 414)
		got = asRecord(got)["line_items"]
	}
	for _, side := range []any{want, got} { // in no order (woo/366)
		if record := asRecord(side); record["refunds"] != nil {
			record["refunds"] = byID(record["refunds"])
		}
	}
	if r.Request.Query["orderby"] == nil {
		want, got = byID(want), byID(got)
	}
	ignored := volatile
	if items := asArray(got); r.Request.Path == "/wp-json/wc/v3/payment_gateways" && len(items) > 2 { // recorded in part
		got = items[:2]
	}
	if r.number == 443 || r.number == 446 { // by which the Store API sees that a cart has changed
		ignored = func(path string) bool { return volatile(path) || storeHashes.MatchString(path) }
	}
	if forPeople.MatchString(r.Request.Path) {
		ignored = func(path string) bool { return volatile(path) || textForPeople.MatchString(path) }
	}
	return append(found, differences("", want, trimmedTo(want, got), ignored)...)
}

// alignIDs gives the next record the id it had in the real shop, whose counters
// were moved by things that were not recorded (pictures, revisions).
func (rs *replayShop) alignIDs(r recording) {
	body := asRecord(r.Response.Body)
	id := asInt(body["id"])
	if place := asText(r.Response.Headers["Location"]); id == 0 && place != "" {
		id = asInt(place[strings.LastIndexByte(place, '/')+1:])
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if id > 0 && (r.Response.Status == http.StatusCreated || strings.HasSuffix(r.Request.Path, "/duplicate")) {
		path := r.Request.Path
		switch {
		case strings.HasSuffix(path, "/attributes"):
			rs.ids.attribute = id - 1
		case strings.HasSuffix(path, "/categories"), strings.HasSuffix(path, "/terms"):
			rs.ids.term = id - 1
		case strings.Contains(path, "/customers"):
			rs.ids.user = id - 1
		case strings.Contains(path, "/webhooks"):
			rs.ids.webhook = id - 1
		case strings.HasSuffix(path, "/notes"):
			rs.ids.comment = id - 1
		default:
			rs.ids.post = id - 1
		}
	}
	for _, image := range asArray(body["images"]) {
		if id := asInt(asRecord(image)["id"]); id > rs.ids.post {
			rs.ids.post = id - 1
			break
		}
	}
	for _, made := range asArray(body["create"]) {
		if id := asInt(asRecord(made)["id"]); id > 0 {
			if strings.Contains(r.Request.Path, "/customers") {
				rs.ids.user = id - 1
			} else {
				rs.ids.post = id - 1
			}
			break
		}
	}
	lowest := int64(0)
	for _, list := range []string{"line_items", "shipping_lines", "fee_lines", "tax_lines"} {
		for _, item := range asArray(body[list]) {
			if id := asInt(asRecord(item)["id"]); id > rs.ids.item && (lowest == 0 || id < lowest) {
				lowest = id
			}
		}
	}
	if lowest > 0 && body["line_items"] == nil { // only the lines behind them were recorded (woo/324)
		lowest -= int64(len(asArray(asRecord(r.Request.Body)["line_items"])))
	}
	if items := asArray(r.Response.Body); lowest == 0 && len(items) == 1 && strings.Contains(r.Request.Path, "/orders") && r.Request.Method == "POST" {
		lowest = asInt(asRecord(items[0])["id"])
	}
	if lowest > 0 {
		rs.ids.item = lowest - 1
	}
}

var basicPlaceholder = regexp.MustCompile(`^Basic \{\{BASIC (\w+):(\w+)\}\}$`)

func (rs *replayShop) request(r recording) *http.Request {
	q := r.Request
	plain := strings.NewReplacer("{{CONSUMER_KEY}}", replayKey, "{{CONSUMER_SECRET}}", replaySecret)
	query := url.Values{}
	var order []string
	for name := range q.Query {
		order = append(order, name)
	}
	slices.Sort(order)
	for _, name := range order {
		query.Set(name, plain.Replace(asText(q.Query[name])))
	}
	host := map[string]string{"https": "127.0.0.1:8443", "http": "127.0.0.1:8080"}[q.Scheme]
	var body string
	if record, isRecord := q.Body.(map[string]any); isRecord && record["raw"] != nil && len(record) == 1 {
		body = asText(record["raw"])
	} else if q.Body != nil {
		text, err := json.Marshal(q.Body)
		if err != nil {
			rs.t.Fatal(err)
		}
		body = string(text)
	}
	request := httptest.NewRequest(q.Method, q.Scheme+"://"+host+"/", strings.NewReader(body))
	request.URL.Path, request.URL.RawQuery = q.Path, query.Encode()
	request.Host = host
	request.TLS = nil
	if q.Scheme == "https" {
		request.TLS = &tls.ConnectionState{}
	}
	for name, value := range q.Headers {
		request.Header.Set(name, plain.Replace(asText(value)))
	}
	if found := basicPlaceholder.FindStringSubmatch(asText(q.Headers["Authorization"])); found != nil {
		name := map[string]string{"CONSUMER_KEY": "replay", "RO_CONSUMER_KEY": "ro", "WO_CONSUMER_KEY": "wo"}[found[1]]
		request.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("ck_"+name+":cs_"+name)))
	}
	if r.number == 15 { // a known key with a wrong secret
		request.SetBasicAuth(replayKey, "cs_0")
	}
	rs.sign(r, request, query)
	return request
}

// sign signs anew what was signed with a secret that was not recorded.
func (rs *replayShop) sign(r recording, request *http.Request, query url.Values) {
	c := &call{shop: rs.Shop, r: request, home: request.URL.Scheme + "://" + request.Host}
	params := oauthParams(c)
	if params.Get("oauth_signature") == "" || r.number == 4 {
		return
	}
	if strings.Contains(request.Header.Get("Authorization"), "{{") {
		rs.t.Fatalf("%s: a placeholder is left", r.name)
	}
	params.Del("oauth_signature")
	signature := hmacOf(params.Get("oauth_signature_method"), replaySecret+"&", baseString(c, params))
	if header := request.Header.Get("Authorization"); strings.HasPrefix(header, "OAuth ") {
		head, _, _ := strings.Cut(header, "oauth_signature=")
		request.Header.Set("Authorization", head+`oauth_signature="`+url.QueryEscape(signature)+`"`)
		return
	}
	query.Set("oauth_signature", signature)
	request.URL.RawQuery = query.Encode()
}
