package storetest

import (
	"strings"

	"github.com/flowctl/flowctl/engine/store"
)

const mail = "Ada.Lovelace@example.com"

// acceptPayload accepts an event with this payload that starts flow-a.
func (f *fixture) acceptPayload(key, payload string) (event, run int64) {
	f.Helper()
	accepted, err := f.Accept(f.ctx, store.Arrival{
		Event: store.Event{Instance: instance, Payload: []byte(payload)}, Starts: []store.Start{start("flow-a", key)},
	})
	f.must(err)
	return accepted[0].EventID, accepted[0].RunIDs[0]
}

var personTests = []test{
	{"a text is found wherever it is, whatever its case", func(f *fixture) {
		byEvent, ofEvent := f.acceptPayload("1", `{"billing":{"email":"ada.LOVELACE@example.com"}}`)
		_, byStep := f.acceptPayload("2", `{}`)
		lease := f.claim(byStep)
		f.must(f.SaveSteps(f.ctx, lease, store.Step{Path: "contact", State: store.StepDone, Output: []byte(`{"email":"` + mail + `"}`)}))
		f.must(f.SaveLinks(f.ctx, lease, store.LinkWrite{Table: "partner_email", Local: "77", Remote: strings.ToLower(mail)}))
		_, byReason := f.acceptPayload("3", `{}`)
		_, err := f.Finish(f.ctx, f.claim(byReason), store.Outcome{State: store.Held, Reason: "two partners with " + mail})
		f.must(err)
		f.acceptPayload("4", `{"email":"someone.else@example.com"}`)
		_, err = f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: "other", Payload: []byte(mail)}})
		f.must(err)

		found, err := f.Find(f.ctx, instance, " "+mail)
		f.must(err)
		f.wantIDs("events", found.Events, byEvent)
		f.wantIDs("runs", found.Runs, ofEvent, byStep, byReason)
		if len(found.Links) != 1 || found.Links[0].Local != "77" {
			f.Fatalf("got %+v", found.Links)
		}
	}},
	{"text that JSON escaped is found", func(f *fixture) {
		event, _ := f.acceptPayload("1", `{"name":"Andr\u00e9 \"Bob\" M\u00fcller"}`)
		f.acceptPayload("2", `not \ JSON`)
		for _, text := range []string{"andré", `"bob"`, "MÜLLER"} {
			found, err := f.Find(f.ctx, instance, text)
			f.must(err)
			f.wantIDs(text, found.Events, event)
		}
	}},
	{"nothing is no text to find", func(f *fixture) {
		_, err := f.Find(f.ctx, instance, "  ")
		f.wantErr(err, store.ErrInvalid)
	}},
	{"erasing leaves the skeleton", func(f *fixture) {
		event, run := f.acceptPayload("customer:"+mail, `{"email":"`+mail+`"}`)
		lease := f.claim(run)
		f.must(f.SaveSteps(f.ctx, lease, store.Step{Path: "contact", State: store.StepDone, Hash: "h", Input: []byte(mail), Output: []byte(`{"phone":"1"}`)}))
		w := pair("77", "5")
		w.Fingerprints = []byte(`{"email":"` + mail + `"}`)
		f.must(f.SaveLinks(f.ctx, lease, w, store.LinkWrite{Table: "partner_email", Local: "77", Remote: mail}))
		_, err := f.Finish(f.ctx, lease, store.Outcome{State: store.Held, Reason: "who is " + mail, Result: []byte(mail)})
		f.must(err)
		bystanderEvent, bystander := f.acceptPayload("2", `{"email":"x@example.com"}`)

		erased, left, err := f.Erase(f.ctx, instance, mail)
		f.must(err)
		f.wantIDs("erased events", erased.Events, event)
		f.wantIDs("erased runs", erased.Runs, run)
		if len(erased.Links) != 1 || len(left.Links) != 1 || left.Links[0].Table != "partner_email" || len(left.Runs) != 0 {
			f.Fatalf("erased %+v, left %+v", erased, left)
		}
		got := f.run(run)
		if got.State != store.Cancelled || got.Code != store.CodeErased || got.Event != nil || got.Result != nil ||
			strings.Contains(got.Key, "example") || strings.Contains(got.Reason, mail) || got.EndedAt.IsZero() {
			f.Fatalf("got %+v", got)
		}
		steps, err := f.Steps(f.ctx, run)
		f.must(err)
		if len(steps) != 1 || steps[0].Path != "contact" || steps[0].State != store.StepDone || steps[0].Input != nil || steps[0].Output != nil {
			f.Fatalf("got %+v", steps)
		}
		if l, err := f.FindLink(f.ctx, instance, remote("5")); err != nil || l == nil || l.Fingerprints != nil {
			f.Fatalf("got %+v, %v", l, err)
		}
		f.must(f.DeleteLink(f.ctx, instance, left.Links[0].ID))
		if found, err := f.Find(f.ctx, instance, mail); err != nil || len(found.Events)+len(found.Runs)+len(found.Links) != 0 {
			f.Fatalf("still found: %+v, %v", found, err)
		}
		if reopened, err := f.Reopen(f.ctx, true, run); err != nil || len(reopened) != 0 {
			f.Fatal("an erased run was reopened", err)
		}
		if string(f.run(bystander).Event) != `{"email":"x@example.com"}` || f.run(bystander).EventID != bystanderEvent {
			f.Fatal("a bystander was erased")
		}
		// The person comes back as a new customer.
		f.work(f.accept("customer:"+mail, "flow-a")[0], store.Succeeded)
	}},
	{"an open run is left alone and named", func(f *fixture) {
		event, run := f.acceptPayload("1", mail)
		for range 2 {
			erased, left, err := f.Erase(f.ctx, instance, mail)
			f.must(err)
			f.wantIDs("left runs", left.Runs, run)
			f.wantIDs("left events", left.Events, event)
			f.wantIDs("erased", append(erased.Runs, erased.Events...))
			if f.run(run).Event == nil {
				f.Fatal("an open run lost its event")
			}
		}
		f.work(run, store.Succeeded)
		erased, left, err := f.Erase(f.ctx, instance, mail)
		f.must(err)
		f.wantIDs("erased", append(erased.Runs, erased.Events...), run, event)
		f.wantIDs("left", append(left.Runs, left.Events...))
	}},
}
