// Package instance keeps the shops that one installation serves: which there
// are, what they are called, and whether they are worked.
package instance

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/flowctl/flowctl/engine/store"
)

// Main is the instance that is there from the beginning.
const Main = "main"

// MaxName bounds names, which stand in addresses and in references of records.
const MaxName = 63

// Registry is the instances of an installation. It asks the store each time, so
// that all processes know a change at once.
type Registry struct {
	Store store.Store
}

// UnknownError says that there is no such instance.
type UnknownError struct{ Name string }

// Error says how to make it.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no instance %q; flowctl instances list shows those there are, flowctl instances add makes one", e.Name)
}

// RefusedError says why a change of an instance was not made.
type RefusedError struct{ Message string }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Message }

func refused(format string, args ...any) error {
	return &RefusedError{fmt.Sprintf(format, args...)}
}

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CheckName says what is wrong with a name.
func CheckName(name string) error {
	switch {
	case len(name) > MaxName:
		return refused("the name has %d characters; at most %d are allowed", len(name), MaxName)
	case !nameForm.MatchString(name):
		return refused("%q is no name of an instance: lower-case letters, digits and - between them", name)
	}
	return nil
}

// List lists all instances by name.
func (r Registry) List(ctx context.Context) ([]store.Instance, error) {
	return r.Store.Instances(ctx)
}

// Active lists the names of those that are worked.
func (r Registry) Active(ctx context.Context) ([]string, error) {
	all, err := r.Store.Instances(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, i := range all {
		if i.State == store.InstanceActive {
			names = append(names, i.Name)
		}
	}
	return names, nil
}

// Get reads one that is not being removed, or gives an *UnknownError.
func (r Registry) Get(ctx context.Context, name string) (store.Instance, error) {
	found, err := r.Store.Instance(ctx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && found.State == store.InstanceRemoving {
		return store.Instance{}, &UnknownError{name}
	}
	return found, err
}

// Exists tells whether an instance accepts events.
func (r Registry) Exists(ctx context.Context, name string) (bool, error) {
	_, err := r.Get(ctx, name)
	var unknown *UnknownError
	if errors.As(err, &unknown) {
		return false, nil
	}
	return err == nil, err
}

// Add makes an instance. Without a title it is called by its name.
func (r Registry) Add(ctx context.Context, name, title string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if title = strings.TrimSpace(title); title == "" {
		title = name
	}
	found, err := r.Store.Instance(ctx, name)
	switch {
	case err == nil && found.State == store.InstanceRemoving:
		return refused("%q is being removed; flowctl instances remove %s --yes finishes that", name, name)
	case err == nil:
		return refused("there is an instance %q already", name)
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	err = r.Store.AddInstance(ctx, name, title)
	if errors.Is(err, store.ErrInvalid) {
		return refused("%s", err)
	}
	return err
}

// Ensure makes an instance that is not there.
func (r Registry) Ensure(ctx context.Context, name string) error {
	exists, err := r.Exists(ctx, name)
	if err != nil || exists {
		return err
	}
	err = r.Add(ctx, name, "")
	if exists, again := r.Exists(ctx, name); again == nil && exists {
		return nil // another process was first
	}
	return err
}

// Rename changes the title.
func (r Registry) Rename(ctx context.Context, name, title string) error {
	if title = strings.TrimSpace(title); title == "" {
		return refused("the title is empty")
	}
	return r.change(ctx, name, func(i *store.Instance) { i.Title = title })
}

// Pause lets an instance accept events and work none. Runs in hand are finished.
func (r Registry) Pause(ctx context.Context, name string) error {
	return r.change(ctx, name, func(i *store.Instance) { i.State = store.InstancePaused })
}

// Resume has it worked again.
func (r Registry) Resume(ctx context.Context, name string) error {
	return r.change(ctx, name, func(i *store.Instance) { i.State = store.InstanceActive })
}

func (r Registry) change(ctx context.Context, name string, change func(*store.Instance)) error {
	found, err := r.Get(ctx, name)
	if err != nil {
		return err
	}
	change(&found)
	err = r.Store.SetInstance(ctx, name, found.Title, found.State)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &UnknownError{name}
	case errors.Is(err, store.ErrInvalid):
		return refused("%s", err)
	}
	return err
}

// Remove forgets a paused instance, with its settings, links, runs and events.
// The records in the shop and in the ERP stay. One whose removal was interrupted
// is removed by calling it again.
func (r Registry) Remove(ctx context.Context, name string) error {
	if name == Main {
		return refused("main is always there; pause it, or take its settings away")
	}
	found, err := r.Store.Instance(ctx, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &UnknownError{name}
	case err != nil:
		return err
	case found.State == store.InstanceActive:
		return refused("%q is active; flowctl instances pause %s first", name, name)
	}
	err = r.Store.RemoveInstance(ctx, name)
	if errors.Is(err, store.ErrInvalid) {
		return refused("%s", err)
	}
	return err
}
