// Package event is what starts runs: it accepts webhooks and manual starts,
// finds the flows that listen, and hands both to the store in one commit.
package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// DefaultBodyLimit bounds a webhook's body, in bytes. An order with some
// thousand lines has about 2 MB.
const DefaultBodyLimit = 5 << 20

// Connections opens the connections of an instance.
type Connections interface {
	Connection(ctx context.Context, instance, name string) (connectors.Connection, error)
}

// Ingress accepts webhooks at /hooks/{instance}/{connection}. A 2xx answer means
// that the event is stored.
type Ingress struct {
	Connections Connections
	Router      *Router
	Log         *slog.Logger
	// Exists tells whether an instance exists; others are not found.
	Exists    func(ctx context.Context, name string) (bool, error)
	BodyLimit int64 // 0 means DefaultBodyLimit
}

// answer is what a sender reads. It says nothing of the inside.
type answer struct {
	Accepted bool   `json:"accepted"`
	Event    int64  `json:"event,omitempty"`
	Runs     int    `json:"runs"`
	Note     string `json:"note,omitempty"`
	Error    string `json:"error,omitempty"`
}

// ServeHTTP takes one delivery.
func (in *Ingress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	instance, name := r.PathValue("instance"), r.PathValue("connection")
	exists, err := in.Exists(r.Context(), instance)
	if err != nil {
		in.Log.Error("webhook not stored", "instance", instance, "connection", name, "error", err)
		unavailable(w)
		return
	}
	if !exists {
		reply(w, http.StatusNotFound, answer{Error: "no such instance"})
		return
	}
	connection, err := in.Connections.Connection(r.Context(), instance, name)
	if err != nil {
		in.Log.Error("webhook for a connection that does not open", "instance", instance, "connection", name, "error", err)
		reply(w, http.StatusServiceUnavailable, answer{Error: "not configured"})
		return
	}
	receiver, ok := connection.(connectors.WebhookReceiver)
	if !ok {
		reply(w, http.StatusNotFound, answer{Error: "this connection takes no webhooks"})
		return
	}
	limit := in.BodyLimit
	if limit == 0 {
		limit = DefaultBodyLimit
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			in.Log.Warn("webhook over the limit", "instance", instance, "connection", name, "limit", limit)
			reply(w, http.StatusRequestEntityTooLarge, answer{Error: fmt.Sprintf("the body has more than %d bytes", limit)})
			return
		}
		reply(w, http.StatusBadRequest, answer{Error: "the body could not be read"})
		return
	}
	receipt, err := receiver.Receive(connectors.Delivery{Header: r.Header, Body: body, At: time.Now().UTC()})
	if err != nil && !connectors.HasCode(err, connectors.CodeBadDelivery) {
		in.refuse(w, instance, name, err)
		return
	}
	in.accept(r.Context(), w, instance, name, receipt, err)
}

// refuse answers a delivery that is not from the system it claims to be from, or
// that cannot be checked; nothing is stored.
func (in *Ingress) refuse(w http.ResponseWriter, instance, name string, err error) {
	in.Log.Warn("webhook refused", "instance", instance, "connection", name, "error", err)
	switch {
	case connectors.HasCode(err, connectors.CodeBadSignature):
		reply(w, http.StatusUnauthorized, answer{Error: "the signature does not match"})
	case connectors.HasCode(err, connectors.CodeBadConfig):
		reply(w, http.StatusServiceUnavailable, answer{Error: "no webhook secret is configured"})
	default:
		reply(w, http.StatusBadRequest, answer{Error: "the delivery could not be read"})
	}
}

// accept stores what a verified delivery announces. One that announces nothing
// because its body is broken is kept for people to see, and answered 400.
func (in *Ingress) accept(ctx context.Context, w http.ResponseWriter, instance, name string, receipt connectors.Receipt, broken error) {
	status := http.StatusOK
	if broken != nil {
		receipt.Event, receipt.Note = "", broken.Error()
		status = http.StatusBadRequest
	} else if receipt.Event == "" && receipt.Note == "" {
		reply(w, http.StatusOK, answer{Accepted: true, Note: "nothing to do"})
		return
	}
	incoming := Incoming{Instance: instance, Source: "webhook", Delivery: receipt.Delivery, Payload: receipt.Payload, Note: receipt.Note}
	if receipt.Event != "" {
		incoming.Name = name + "." + receipt.Event
	}
	accepted, err := in.Router.Accept(ctx, incoming)
	if err != nil {
		in.Log.Error("webhook not stored", "instance", instance, "connection", name, "error", err)
		unavailable(w)
		return
	}
	if receipt.Note != "" {
		// A ping, or a body without a record: what it announced starts nothing.
		in.Log.Info("webhook noted", "instance", instance, "connection", name, "event", accepted.EventID, "note", receipt.Note)
	}
	out := answer{Accepted: broken == nil, Event: accepted.EventID, Runs: len(accepted.RunIDs), Note: receipt.Note}
	if broken != nil {
		out.Note, out.Error = "", "the body could not be read; it was noted"
	} else if out.Runs == 0 && out.Note == "" {
		out.Note = "no flow listens to this event"
	}
	reply(w, status, out)
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "30")
	reply(w, http.StatusServiceUnavailable, answer{Error: "the event could not be stored; send it again"})
}

func reply(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The sender is gone when this fails; the event is stored all the same.
	_ = json.NewEncoder(w).Encode(a)
}
