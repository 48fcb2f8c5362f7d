// Command flowctl runs flows that keep a web shop and an ERP in step.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/flowctl/flowctl/connectors/http"
	_ "github.com/flowctl/flowctl/connectors/mail"
	_ "github.com/flowctl/flowctl/connectors/odoo"
	_ "github.com/flowctl/flowctl/connectors/woocommerce"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
