package panel

import (
	"regexp"
	"strings"
)

// schema is a type as OpenAPI writes it.
type schema map[string]any

func object(properties schema) schema { return schema{"type": "object", "properties": properties} }
func list(of schema) schema           { return schema{"type": "array", "items": of} }
func of(kind string) schema           { return schema{"type": kind} }

// apiTable is the whole API. Its document is made of it.
func apiTable() []apiRoute {
	run := schema{"$ref": "#/components/schemas/Run"}
	input := object(schema{"input": schema{"type": "object", "description": "the flow's input, or the payload of the event that it listens to"}})
	filters := []apiParam{
		{"flow", "only runs of this flow"}, {"state", "only these states, by comma"}, {"record", "a key such as order:12, or the id of a record"},
		{"since", "how long ago (24h), or an instant"}, {"before", "runs with a smaller id: the next page"}, {"limit", "at most this many, up to 1000"},
	}
	return []apiRoute{
		{method: "GET", path: "/instances", summary: "The shops", answer: object(schema{"instances": list(object(schema{"name": of("string"), "title": of("string"), "paused": of("boolean")}))}),
			handle: (*Panel).apiInstances},
		{method: "GET", path: "/instances/{instance}/status", summary: "Whether the shop is in step",
			answer: object(schema{"in_step": of("boolean"), "waiting": of("integer"), "running": of("integer"), "retrying": of("integer"), "held": of("integer"), "failed": of("integer"), "oldest_open": schema{"type": []string{"string", "null"}, "format": "date-time"}}),
			handle: (*Panel).apiStatus},
		{method: "GET", path: "/instances/{instance}/runs", summary: "Runs, newest first", query: filters, answer: object(schema{"runs": list(run)}), handle: (*Panel).apiRuns},
		{method: "GET", path: "/instances/{instance}/runs/{id}", summary: "One run with its steps", answer: run, handle: (*Panel).apiRun},
		{method: "POST", path: "/instances/{instance}/runs/act", summary: "Retry, replay or ignore runs",
			body:   object(schema{"act": schema{"enum": []string{"retry", "replay", "ignore"}}, "reason": schema{"type": "string", "description": "why they are ignored"}, "runs": list(of("integer"))}),
			answer: object(schema{"done": list(of("integer"))}), handle: (*Panel).apiAct},
		{method: "GET", path: "/instances/{instance}/flows", summary: "The flows with their inputs", answer: object(schema{"flows": list(of("object"))}), handle: (*Panel).apiFlows},
		{method: "POST", path: "/instances/{instance}/flows/{flow}/run", summary: "Start a flow", body: input, answer: object(schema{"run": of("integer")}), handle: (*Panel).apiStart},
		{method: "POST", path: "/instances/{instance}/flows/{flow}/plan", summary: "Tell what a run would do; reads for real, writes nothing", body: input, answer: of("object"), handle: (*Panel).apiPlan},
		{method: "GET", path: "/instances/{instance}/links", summary: "Links, by id", query: []apiParam{{"table", "only this link table"}, {"find", "a record on either side"}, {"after", "links with a greater id: the next page"}},
			answer: object(schema{"links": list(object(schema{"id": of("integer"), "table": of("string"), "local": of("string"), "remote": of("string"), "state": of("string"), "run": of("integer"), "updated_at": schema{"type": "string", "format": "date-time"}}))}),
			handle: (*Panel).apiLinks},
		{method: "DELETE", path: "/instances/{instance}/links/{id}", summary: "Forget a link; the records stay", answer: object(schema{"removed": of("boolean")}), handle: (*Panel).apiUnlink},
		{method: "GET", path: "/instances/{instance}/settings", summary: "The settings; of secrets, whether they are set",
			answer: object(schema{"settings": list(object(schema{"name": of("string"), "title": of("string"), "type": of("string"), "set": of("boolean"), "value": schema{}, "environment": schema{"type": "string", "description": "the variable that decides it"}}))}),
			handle: (*Panel).apiSettings},
		{method: "PATCH", path: "/instances/{instance}/settings", summary: "Save some settings; null brings the default back",
			body: object(schema{"values": of("object")}), answer: object(schema{"changed": list(of("string"))}), handle: (*Panel).apiSave},
	}
}

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

// openAPI is the API's document.
func openAPI(version string) schema {
	if version == "" {
		version = "development"
	}
	paths := map[string]schema{}
	for _, route := range apiTable() {
		var params []schema
		for _, match := range pathParam.FindAllStringSubmatch(route.path, -1) {
			kind := "string"
			if match[1] == "id" {
				kind = "integer"
			}
			params = append(params, schema{"name": match[1], "in": "path", "required": true, "schema": of(kind)})
		}
		for _, q := range route.query {
			params = append(params, schema{"name": q.name, "in": "query", "description": q.about, "schema": of("string")})
		}
		problem := schema{"description": "what went wrong", "content": schema{"application/json": schema{"schema": schema{"$ref": "#/components/schemas/Problem"}}}}
		operation := schema{
			"summary": route.summary, "operationId": strings.TrimPrefix(strings.ToLower(route.method)+pathParam.ReplaceAllString(strings.ReplaceAll(route.path, "/", "_"), "$1"), "_"),
			"responses": schema{"200": schema{"description": "done", "content": schema{"application/json": schema{"schema": route.answer}}}, "default": problem},
		}
		if params != nil {
			operation["parameters"] = params
		}
		if route.body != nil {
			operation["requestBody"] = schema{"required": true, "content": schema{"application/json": schema{"schema": route.body}}}
		}
		path := "/api/v1" + route.path
		if paths[path] == nil {
			paths[path] = schema{}
		}
		paths[path][strings.ToLower(route.method)] = operation
	}
	instant := schema{"type": "string", "format": "date-time"}
	step := object(schema{"path": of("string"), "state": of("string"), "input": schema{}, "output": schema{}, "error": of("string"), "started_at": instant, "ended_at": instant})
	return schema{
		"openapi": "3.1.0",
		"info":    schema{"title": "flowctl", "version": version, "description": "What the panel shows and does, for programs. Viewers may read, owners may do everything."},
		"paths":   paths,
		"components": schema{
			"securitySchemes": schema{"token": schema{"type": "http", "scheme": "bearer", "description": "made by: flowctl users token NAME"}},
			"schemas": schema{
				"Problem": object(schema{"message": of("string"), "advice": of("string")}),
				"Run": object(schema{"id": of("integer"), "flow": of("string"), "title": of("string"), "key": of("string"), "state": of("string"), "reason": of("string"),
					"code": of("string"), "advice": of("string"), "event": of("string"), "attempt": of("integer"), "created_at": instant, "updated_at": instant, "ended_at": instant,
					"due_at": instant, "payload": schema{}, "input": schema{}, "result": schema{}, "steps": list(step)}),
			},
		},
		"security": []schema{{"token": []string{}}},
	}
}
