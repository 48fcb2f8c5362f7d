package flow

import (
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// AppName is the first part of the engine's own calls and events: app.status,
// app.settings_saved. No connection may have it.
const AppName = "app"

// The events that the engine makes itself.
const (
	// EventSettingsSaved: settings were changed, by whatever way.
	EventSettingsSaved = "settings_saved"
	// EventRunProblem: a run is held or has failed for good.
	EventRunProblem = "run_problem"
)

// OwnSpec describes what flows may ask of the engine itself, as a connector
// would: the operations app.* and the events app.*, those of app.yaml among them.
func (a *App) OwnSpec() connectors.Spec {
	spec := connectors.Spec{
		Name: AppName, Title: "flowctl itself",
		Summary:    "What a flow may ask of flowctl: its settings, links, feeds, problems and its own memory.",
		Operations: slices.Concat(statusOperations(), memoryOperations(), a.linkOperations(), settingsOperations(), eventOperations()),
		Events: []connectors.Event{
			{Name: EventSettingsSaved, Summary: "Settings were changed, in the panel, by the command line or by a flow. What was saved as it stood before is not named, and starts nothing.",
				Payload: connectors.Object(map[string]*connectors.Schema{
					"names": connectors.Array(connectors.String()).Described("the settings whose values changed"),
				}, "names")},
			{Name: EventRunProblem, Summary: "A run is held or has failed for good. Never of a flow that listens to this event.",
				Payload: connectors.Object(map[string]*connectors.Schema{
					"run_id": connectors.Integer(),
					"flow":   connectors.String(),
					"key":    connectors.String().Described("what the run was about: order:12"),
					"state":  connectors.String().Described("held or failed"),
					"code":   connectors.String().Described("a short word for the kind of reason"),
					"reason": connectors.String(),
					"advice": connectors.String(),
				}, "run_id", "flow", "key", "state", "code", "reason")},
		},
	}
	if a == nil {
		return spec
	}
	for _, e := range a.Events {
		spec.Events = append(spec.Events, connectors.Event{Name: e.Name, Summary: e.Title, Payload: e.Payload})
	}
	return spec
}

func record(properties map[string]*connectors.Schema) *connectors.Schema {
	return connectors.Object(properties)
}

func statusOperations() []connectors.Operation {
	finding := record(map[string]*connectors.Schema{
		"name":    connectors.String().Described("what was looked at: version, clock"),
		"ok":      connectors.Boolean().Described("false only of what does not work"),
		"level":   connectors.String().Described("ok, warn or fail"),
		"message": connectors.String(),
		"advice":  connectors.String().Described("what to do about it; empty when there is nothing to do"),
	})
	feed := record(map[string]*connectors.Schema{
		"name":         connectors.String(),
		"title":        connectors.String(),
		"enabled":      connectors.Boolean(),
		"last_success": connectors.DateTime().OrNull(),
		"last_error":   connectors.String().OrNull().Described("of the last poll; null when it went well"),
		"lag_seconds":  connectors.Integer().OrNull().Described("since the last poll that went well"),
	})
	problem := record(map[string]*connectors.Schema{
		"id": connectors.Integer(), "flow": connectors.String(), "title": connectors.String(), "key": connectors.String(),
		"state": connectors.String().Described("held or failed"), "code": connectors.String(),
		"reason": connectors.String(), "advice": connectors.String(), "at": connectors.DateTime(),
		"url": connectors.String().OrNull().Described("the run in the panel; null when the public address is not known"),
	})
	return []connectors.Operation{
		{
			Name: "check", Title: "Check a connection", Effect: connectors.Read,
			Summary: "Looks how a connection's system is set up and changes nothing there. What is wrong is a finding, never an error.",
			Params:  connectors.Object(map[string]*connectors.Schema{"connection": connectors.String().Described("a connection of app.yaml")}, "connection"),
			Result: record(map[string]*connectors.Schema{
				"ok": connectors.Boolean().Described("nothing fails; there may be warnings"), "findings": connectors.Array(finding),
			}),
		},
		{
			Name: "status", Title: "How this shop stands", Effect: connectors.Read,
			Summary: "Counts what waits and what needs a person, and tells how far the feeds are.",
			Params:  connectors.Object(map[string]*connectors.Schema{}),
			Result: record(map[string]*connectors.Schema{
				"waiting": connectors.Integer(), "retrying": connectors.Integer(), "held": connectors.Integer(), "failed": connectors.Integer(),
				"oldest_waiting": connectors.DateTime().OrNull().Described("since when the run that waits longest could be worked"),
				"oldest_failure": connectors.DateTime().OrNull().Described("since when the oldest run is held or failed"),
				"last_event":     connectors.DateTime().OrNull(),
				"feeds":          connectors.Array(feed),
				"links":          connectors.Array(record(map[string]*connectors.Schema{"table": connectors.String(), "title": connectors.String(), "count": connectors.Integer()})),
				"flows":          connectors.Array(record(map[string]*connectors.Schema{"name": connectors.String(), "title": connectors.String(), "enabled": connectors.Boolean()})),
			}),
		},
		{
			Name: "problems", Title: "Runs that need a person", Effect: connectors.Read,
			Summary: "Lists runs that are held or have failed. To go on later, give until as since and last as after: a run may fail after a younger one did.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"since": connectors.DateTime().OrNull().Described("only those that were held or failed since this instant, in the order in which they were"),
				"after": connectors.Integer().OrNull().Described("with since: of that very instant, only runs with a greater id; alone: only runs with a greater id"),
				"limit": connectors.Integer().OrNull().Described("at most this many; 100 unless told, at most 1000"),
			}),
			Result: record(map[string]*connectors.Schema{
				"runs":  connectors.Array(problem),
				"last":  connectors.Integer().OrNull().Described("the id of the last one listed; null when there is none"),
				"until": connectors.DateTime().OrNull().Described("when the last one listed was held or failed"),
			}),
		},
	}
}

func memoryOperations() []connectors.Operation {
	name := connectors.String().Described("shared by all flows of the shop; begin it with the flow's own name")
	return []connectors.Operation{
		{
			Name: "recall", Title: "Recall a value", Effect: connectors.Read,
			Summary: "Reads what app.remember kept.",
			Params:  connectors.Object(map[string]*connectors.Schema{"name": name}, "name"),
			Result:  record(map[string]*connectors.Schema{"value": connectors.Any().OrNull().Described("null when nothing was kept")}),
		},
		{
			Name: "remember", Title: "Remember a value", Effect: connectors.Update, Repeat: connectors.Idempotent,
			Summary: "Keeps a value for later runs, up to 1 MB; null forgets it. A value that many runs change belongs behind one key.",
			Params:  connectors.Object(map[string]*connectors.Schema{"name": name, "value": connectors.Any().OrNull()}, "name", "value"),
			Result:  connectors.Object(map[string]*connectors.Schema{}),
			Present: func(params map[string]any) (connectors.Present, bool) {
				name, ok := params["name"].(string)
				return connectors.Present{Read: connectors.Call{Operation: "recall", Params: map[string]any{"name": name}},
					Changes: map[string]any{"value": params["value"]}}, ok
			},
		},
	}
}

// linkOperations narrow their results to the keys of the table that is named.
func (a *App) linkOperations() []connectors.Operation {
	table := connectors.String().Described("a link table of app.yaml")
	links := func(local, remote *connectors.Schema) *connectors.Schema {
		return record(map[string]*connectors.Schema{
			"links": connectors.Array(record(map[string]*connectors.Schema{"local": local, "remote": remote})),
			"last":  connectors.Integer().OrNull().Described("give it as after for the next page; null when there is none"),
		})
	}
	return []connectors.Operation{
		{
			Name: "links", Title: "Look up links", Effect: connectors.Read,
			Summary: "Finds the links of many records at once; those without one are left out. With neither local nor remote it walks the table, page by page.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"table":  table,
				"local":  connectors.Array(nil).OrNull().Described("ids on the local side, at most 10000"),
				"remote": connectors.Array(nil).OrNull().Described("keys on the remote side, at most 10000"),
				"after":  connectors.Integer().OrNull().Described("of a walk: last of the page before"),
				"limit":  connectors.Integer().OrNull().Described("of a walk: at most this many; 100 unless told, at most 1000"),
			}, "table"),
			Result: links(connectors.Any(), connectors.Any()),
			ResultFor: func(params map[string]any) *connectors.Schema {
				name, _ := params["table"].(string)
				if a == nil {
					return nil
				}
				found, ok := a.Table(name)
				if !ok {
					return nil
				}
				return links(found.Local.Schema(), found.Remote.Schema())
			},
		},
		{
			Name: "unlink", Title: "Forget a link", Effect: connectors.Delete, Repeat: connectors.Idempotent,
			Summary: "Removes the link of one record, given by either side, or by both, when it must be this very pair. The records stay as they are.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"table":  table,
				"local":  connectors.Any().OrNull(),
				"remote": connectors.Any().OrNull(),
			}, "table"),
			Result: record(map[string]*connectors.Schema{"removed": connectors.Boolean().Described("false when there was none")}),
		},
	}
}

func settingsOperations() []connectors.Operation {
	return []connectors.Operation{
		{
			Name: "save_settings", Title: "Save settings", Effect: connectors.Update, Repeat: connectors.Idempotent,
			Summary: "Saves settings after checking them as the panel does; null brings the default back. This run goes on with the settings it began with.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"values":   (&connectors.Schema{Type: "object", Open: true}).OrNull().Described("values by the names of settings; no secrets, for they would stand in the journal"),
				"generate": connectors.Array(connectors.String()).OrNull().Described("secret settings that get a random value if they have none"),
			}),
			Result: record(map[string]*connectors.Schema{"changed": connectors.Array(connectors.String()).Described("the settings that had another value before")}),
		},
		{
			Name: "save_choices", Title: "Save the choices of a setting", Effect: connectors.Update, Repeat: connectors.Idempotent,
			Summary: "Keeps the records that a setting may name, so that people choose them by their names. For a table, those of a column.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"setting": connectors.String().Described("a setting with record:, or setting.key and setting.value for the columns of a table"),
				"choices": connectors.Array(record(map[string]*connectors.Schema{
					"value": connectors.Integer().Described("the id of the record"), "label": connectors.String(),
				})).Described("all that there are, at most 10000; they replace those kept before"),
			}, "setting", "choices"),
			Result: connectors.Object(map[string]*connectors.Schema{}),
		},
		{
			Name: "file", Title: "Address of a picture", Effect: connectors.Read,
			Summary: "An address at which a picture that a connection holds can be fetched for an hour, without a login, for a system that takes pictures by their address.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"connection": connectors.String().Described("a connection of app.yaml"),
				"operation":  connectors.String().Described("its operation that reads the record: get"),
				"with":       (&connectors.Schema{Type: "object", Open: true}).Described("parameters of that operation"),
				"field":      connectors.String().Described("the record's field that holds the picture in base64"),
				"name":       connectors.String().Described("of the file, without extension"),
				"sample":     connectors.String().OrNull().Described("the picture, or a smaller one, in base64: its first bytes tell the extension"),
			}, "connection", "operation", "with", "field", "name"),
			Result: record(map[string]*connectors.Schema{
				"url": connectors.String().OrNull().Described("null when the public address is not known: the setting public_url, or FLOWCTL_PUBLIC_URL"),
			}),
		},
		{
			Name: "webhook", Title: "Where webhooks go", Effect: connectors.Read,
			Summary: "The address that a connection's system should deliver its webhooks to.",
			Params:  connectors.Object(map[string]*connectors.Schema{"connection": connectors.String().Described("a connection of app.yaml")}, "connection"),
			Result: record(map[string]*connectors.Schema{
				"url":        connectors.String().OrNull().Described("null when the public address is not known: the setting public_url, or FLOWCTL_PUBLIC_URL"),
				"secret_set": connectors.Boolean().Described("deliveries can be verified"),
				"events":     connectors.Array(connectors.String()).Described("of that system, those that flows which are switched on wait for: order.created"),
			}),
		},
	}
}

func eventOperations() []connectors.Operation {
	return []connectors.Operation{
		{
			Name: "poll", Title: "Poll a feed now", Effect: connectors.Update, Repeat: connectors.Idempotent,
			Summary: "Asks for a feed's poll without waiting for its time, and from an older moment if one is given.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"feed":  connectors.String().Described("a feed of app.yaml"),
				"since": connectors.DateTime().OrNull().Described("announce again what changed since then"),
			}, "feed"),
			Result: connectors.Object(map[string]*connectors.Schema{}),
		},
		{
			Name: "emit", Title: "Make an event", Effect: connectors.Create, Repeat: connectors.Idempotent,
			Summary: "Announces an event of app.yaml's events: to the flows that listen to app.<name>. After a crash it may be announced twice, as any event may.",
			Params: connectors.Object(map[string]*connectors.Schema{
				"event":   connectors.String().Described("the event's name, without app."),
				"payload": (&connectors.Schema{Type: "object", Open: true}).OrNull().Described("what ${event} is in the flows that listen"),
			}, "event"),
			Result: record(map[string]*connectors.Schema{
				"event_id": connectors.Integer(), "runs": connectors.Array(connectors.Integer()).Described("ids of the runs it started or joined"),
			}),
		},
	}
}
