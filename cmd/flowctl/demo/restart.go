package demo

import (
	"context"
	"errors"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
)

// Without does something in the shop while the engine and its address are off, as
// they are when their machine is, and starts them again. What is done gets a
// connection to the shop of its own.
func (w *World) Without(ctx context.Context, do func(shop connectors.Connection) error) error {
	if err := errors.Join(w.server.Close(), w.Engine.Close()); err != nil {
		return err
	}
	declared, _ := w.Engine.App().Connection("woocommerce")
	shop, err := declared.Connector.Open(connectors.Config{Instance: w.Instance, Settings: map[string]any{
		"url": w.ShopURL, "consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox",
	}})
	if err != nil {
		return err
	}
	if err := errors.Join(do(shop), shop.Close()); err != nil {
		return err
	}
	if w.Engine, err = engine.Open(ctx, w.config); err != nil {
		return err
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	if err := w.Engine.Start(ctx); err != nil {
		return err
	}
	return w.listen()
}
