package panel

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/engine/store"
)

// The API does what the pages do, by token and by role, and its document names
// every address.
func TestAPI(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	run := b.run("main", map[string]any{"id": int64(13), "note": "odd"})
	token := func(role string) map[string]string {
		account, secret := WithToken(b.account("robot-"+role, role))
		b.must(b.engine.Store().SaveAccount(t.Context(), account))
		return map[string]string{"Authorization": "Bearer " + secret}
	}
	owner, viewer := token(RoleOwner), token(RoleViewer)
	c := b.browser()
	call := func(header map[string]string, method, path, body string, want int) map[string]any {
		t.Helper()
		got := b.do(c, method, "/api"+path, "application/json", body, header)
		if got.status != want {
			t.Errorf("%s %s gave %d: %s", method, path, got.status, got.body)
		}
		var decoded map[string]any
		if err := json.Unmarshal([]byte(got.body), &decoded); err != nil {
			t.Errorf("%s %s is no JSON: %s", method, path, got.body)
		}
		return decoded
	}
	shop := "/v1/instances/main"
	call(nil, "GET", shop+"/status", "", http.StatusUnauthorized)
	call(map[string]string{"Authorization": "Bearer flowctl_guessed"}, "GET", shop+"/status", "", http.StatusUnauthorized)
	if status := call(viewer, "GET", shop+"/status", "", http.StatusOK); status["held"] != 1.0 || status["in_step"] != false {
		t.Errorf("the status is %v", status)
	}
	if runs := call(viewer, "GET", shop+"/runs?state=held&limit=5", "", http.StatusOK)["runs"].([]any); len(runs) != 1 {
		t.Errorf("the runs are %v", runs)
	}
	if one := call(viewer, "GET", fmt.Sprintf("%s/runs/%d", shop, run.ID), "", http.StatusOK); len(one["steps"].([]any)) == 0 {
		t.Errorf("the run is %v", one)
	}
	call(viewer, "POST", shop+"/runs/act", fmt.Sprintf(`{"act":"ignore","reason":"x","runs":[%d]}`, run.ID), http.StatusForbidden)
	call(owner, "POST", shop+"/runs/act", fmt.Sprintf(`{"act":"ignore","runs":[%d]}`, run.ID), http.StatusUnprocessableEntity)
	call(owner, "POST", shop+"/runs/act", `{"act":"ignore","surprise":1}`, http.StatusBadRequest)
	if done := call(owner, "POST", shop+"/runs/act", fmt.Sprintf(`{"act":"ignore","reason":"x","runs":[%d]}`, run.ID), http.StatusOK)["done"].([]any); len(done) != 1 {
		t.Errorf("done is %v", done)
	}
	started := call(owner, "POST", shop+"/flows/ask/run", `{"input": {"question": "why"}}`, http.StatusOK)
	if b.ended(int64(started["run"].(float64))).State != store.Succeeded {
		t.Error("the run did not succeed")
	}
	call(owner, "POST", shop+"/flows/ask/run", `{"input": {"quest": "why"}}`, http.StatusUnprocessableEntity)
	if plan := call(owner, "POST", shop+"/flows/changed/plan", `{"input": {"id": 7}}`, http.StatusOK); len(plan["steps"].([]any)) != 1 {
		t.Errorf("the plan is %v", plan)
	}
	call(owner, "PATCH", shop+"/settings", `{"values": {"pages": 99}}`, http.StatusUnprocessableEntity)
	call(owner, "PATCH", shop+"/settings", `{"values": {"ours": "x"}}`, http.StatusUnprocessableEntity)
	call(owner, "PATCH", shop+"/settings", `{"values": {"nothing": 1}}`, http.StatusUnprocessableEntity)
	if changed := call(owner, "PATCH", shop+"/settings", `{"values": {"pages": 7, "size": null}}`, http.StatusOK)["changed"].([]any); len(changed) != 1 || changed[0] != "pages" {
		t.Errorf("changed is %v", changed)
	}
	for _, path := range []string{"/v1/instances", shop + "/flows", shop + "/links?find=x", shop + "/settings"} {
		call(viewer, "GET", path, "", http.StatusOK)
	}
	call(viewer, "GET", "/v1/nothing", "", http.StatusNotFound)
	document := call(viewer, "GET", "/openapi.json", "", http.StatusOK)["paths"].(map[string]any)
	for _, pattern := range b.panel.served {
		method, path, _ := strings.Cut(pattern, " ")
		if !strings.HasPrefix(path, "/api/v1/") {
			continue
		}
		operations, _ := document[path].(map[string]any)
		if operations[strings.ToLower(method)] == nil {
			t.Errorf("the document lacks %s", pattern)
		}
	}
}
