package sandbox

import (
	"maps"
	"net/http"
	"regexp"
	"strings"
	"syscall"
)

// waivers lists the recordings that the sandbox does not answer as the shop did,
// with the reason.
var waivers = byNumber(map[string][]int{
	"the Store API, which browsers speak: Draft, Place and Checkout are its Go side": {431, 432, 433, 434, 435, 436, 437, 438, 442, 444, 445, 447},
	"the indexes list only the routes that are served, without their arguments":      {21, 22},
	"the system status holds what the health check reads":                            {23},
	"the general settings list each of 2,209 countries and states by name":           {25},
	"the database's own order of records of one second":                              {526, 527, 644},
	"a receiver that hangs: the 60 seconds are the deliverer's, no test waits them":  {564},
	"how fast the recorded shop was":                                                 {900},
})

// shownBy names the tests that show what was recorded without a request.
var shownBy = func() map[int]string {
	all := map[int]string{}
	for test, numbers := range map[string][]int{
		"TestWhatIsTold":          {531, 532, 533, 534, 536, 537, 539, 540, 541, 542, 543, 545, 546, 547, 549, 553, 555, 556, 701, 702, 704, 706, 707, 708},
		"TestWhatElseIsTold":      {535, 538, 544, 548, 550, 551, 552, 554, 557, 703, 705, 709, 710},
		"TestCheckoutIsTold":      {558},
		"TestPing":                {502},
		"TestFailuresDisable":     {559, 562},
		"TestWhatCountsAsSuccess": {563},
		"TestRaces":               {629, 630, 631},
		"TestNoRateLimit":         {632},
		"TestWhatBumpsModified":   {157, 349, 415, 416},
	} {
		for _, n := range numbers {
			all[n] = test
		}
	}
	return all
}()

// notReplayed are waived recordings that would disturb those behind them.
var notReplayed = func() map[int]bool {
	all := map[int]bool{}
	for n := 431; n <= 447; n++ {
		_, waived := waivers[n]
		all[n] = waived
	}
	return all
}()

// The shop's pages are set up by texts for people, which the sandbox words its
// own way.
var (
	forPeople     = regexp.MustCompile(`/(settings|payment_gateways|shipping_methods|shipping/zones)(/|$)`)
	storeHashes   = regexp.MustCompile(`^\.meta_data\[[0-3]\]\.value$`)
	textForPeople = regexp.MustCompile(`\.(label|description|tip|placeholder|method_description)$|\.options\.`)
)

// splitNoise cuts what PHP printed off the JSON behind it.
func splitNoise(text string) (noise, data string) {
	at := strings.LastIndexByte(text, '\n') + 1
	return text[:at], text[at:]
}

// faultOf is what the lab's faulty plugin, or the server before it, did to the
// recorded request.
func faultOf(r recording) func(*http.Request) *Fault {
	if r.number < 618 || r.number > 643 {
		return nil
	}
	var fault Fault
	body, isText := r.Response.Body.(string)
	switch {
	case isText && r.Response.Status < 500 && body != "":
		fault.Prefix, _ = splitNoise(body)
	case r.Response.Status >= 500:
		fault.Status, fault.Body = r.Response.Status, body
		fault.Header = http.Header{}
		for _, name := range []string{"Content-Type", "Retry-After"} {
			if value := asText(r.Response.Headers[name]); value != "" {
				fault.Header.Set(name, value)
			}
		}
		if !isText {
			data, err := marshal(r.Response.Body)
			if err != nil {
				panic(err)
			}
			fault.Body = string(data)
		}
	default:
		return nil
	}
	return func(*http.Request) *Fault { return &fault }
}

// pictureServer is the lab's server of pictures, good and bad (woo/132 to 145).
type pictureServer struct{}

const onePixel = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"

func (pictureServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Port() == "8099" {
		return nil, syscall.ECONNREFUSED
	}
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
	body := onePixel
	switch r.URL.Path {
	case "/missing.png":
		answer.StatusCode = http.StatusNotFound
	case "/html.png":
		body = "<html><body>Not a picture</body></html>"
	case "/x.svg":
		body = "<svg xmlns='http://www.w3.org/2000/svg'/>"
	case "/empty.png":
		body = ""
	}
	answer.Body = http.NoBody
	if body != "" {
		answer.Body = readCloser{strings.NewReader(body)}
	}
	return answer, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// shopper is the one who checked out by the Store API (woo/436, 442).
var shopper = map[string]string{"first_name": "Zed", "last_name": "Guest", "address_1": "5 rue Verte", "city": "Paris", "postcode": "75003", "country": "FR", "email": "zed.guest@example.test", "phone": "+33 6"}

func (rs *replayShop) draft(id int64) {
	rs.mu.Lock()
	rs.ids.post, rs.ids.item = id-1, 73
	rs.mu.Unlock()
	_, err := rs.Draft(Cart{Items: []CartItem{{ProductID: 12, Quantity: 2}, {ProductID: 26, Quantity: 1}}, Coupons: []string{"save10"},
		Billing: shopper, ShipTo: shopper, Shipping: &CartShipping{Title: "Flat rate", MethodID: "flat_rate", InstanceID: "1", Cost: "5.90"}})
	if err != nil {
		rs.t.Fatal(err)
	}
}

func (rs *replayShop) place(id int64, payment, note string) {
	rs.mu.Lock()
	o := rs.orders[id]
	o.paymentMethod, o.paymentTitle, o.note, o.agent = payment, "Direct bank transfer", note, "python-requests/2.34.2"
	rs.mu.Unlock()
	if err := rs.Place(id); err != nil {
		rs.t.Fatal(err)
	}
}

func (rs *replayShop) checkout(id int64) {
	rs.mu.Lock()
	rs.ids.post, rs.ids.item = id-1, 78
	rs.mu.Unlock()
	other := maps.Clone(shopper)
	other["email"] = "yan@example.test"
	_, err := rs.Checkout(Cart{Items: []CartItem{{ProductID: 18, Quantity: 1}}, Billing: other, ShipTo: shopper,
		Shipping: &CartShipping{Title: "Flat rate", MethodID: "flat_rate", InstanceID: "1", Cost: "5.90"}, PaymentMethod: "cod", PaymentTitle: "Cash on delivery"})
	if err != nil {
		rs.t.Fatal(err)
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.orders[id].agent = "python-requests/2.34.2"
}

func (rs *replayShop) permalinks(plain bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.settings.PlainPermalinks = plain
}
