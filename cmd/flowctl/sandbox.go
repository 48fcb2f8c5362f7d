package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

func sandboxCommand() *cli.Command {
	return &cli.Command{
		Name:  "sandbox",
		Usage: "the simulated shop and Odoo on given ports, to point anything at",
		Description: "Both speak the real protocols: WooCommerce REST v3 (OAuth 1.0a, this is http) and Odoo's JSON-RPC.\n" +
			"The settings to reach them are printed as environment variables. Ctrl-C ends them.\n\n" +
			"Example: flowctl sandbox --shop 127.0.0.1:8090 --odoo 127.0.0.1:8069",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "shop", Value: "127.0.0.1:8090", Usage: "the shop's loopback address"},
			&cli.StringFlag{Name: "odoo", Value: "127.0.0.1:8069", Usage: "Odoo's loopback address"},
			&cli.IntFlag{Name: "odoo-version", Value: 18, Usage: "18 or 19"},
			&cli.IntFlag{Name: "price-digits", Value: 2, Usage: "Odoo's Product Price precision"},
		},
		Action: func(c *cli.Context) error {
			if v := c.Int("odoo-version"); v != 18 && v != 19 {
				return failure(exitUsage, "--odoo-version: the simulated Odoo is 18 or 19, not %d", v)
			}
			shop := shopsandbox.New(shopsandbox.Options{})
			shopURL, err := shop.Start(c.String("shop"))
			if err != nil {
				return failure(exitUsage, "--shop: %w", err)
			}
			erp := odoosandbox.New(odoosandbox.Options{Version: c.Int("odoo-version"), ProductPriceDigits: c.Int("price-digits")})
			odooURL, err := erp.Start(c.String("odoo"))
			if err != nil {
				return errors.Join(failure(exitUsage, "--odoo: %w", err), shop.Close())
			}
			given := erp.Options()
			fmt.Fprintf(c.App.Writer, "export FLOWCTL_SHOP_URL=%s\nexport FLOWCTL_CONSUMER_KEY=ck_sandbox\nexport FLOWCTL_CONSUMER_SECRET=cs_sandbox\n"+
				"export FLOWCTL_ODOO_URL=%s\nexport FLOWCTL_ODOO_DB=%s\nexport FLOWCTL_ODOO_LOGIN=%s\nexport FLOWCTL_ODOO_API_KEY=%s\n",
				shopURL, odooURL, given.Database, given.Login, given.APIKey)
			<-c.Context.Done()
			return errors.Join(shop.Close(), erp.Close())
		},
	}
}
