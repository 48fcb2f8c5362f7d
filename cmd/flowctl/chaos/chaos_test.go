//go:build linux

package chaos

import (
	"syscall"
	"testing"
	"time"
)

// TestChaos lets orders arrive while everything breaks, and then looks whether
// shop and Odoo agree as if nothing had happened.
func TestChaos(t *testing.T) {
	t.Parallel()
	chance := newChance(t)
	orders := int(number(t, ordersVariable, 100))
	onEach(t, func(t *testing.T, make func(*testing.T) database) { weather(t, make(t), chance, orders) })
}

func weather(t *testing.T, d database, chance chance, orders int) {
	w := setup(t, d, chance, 3)
	c := startCourier(w)
	f := startFaults(w)
	s := planStorm(w, 15+orders/5)
	started := time.Now()

	pace := s.length() / time.Duration(orders)
	customers := w.shoppers(orders, func() { time.Sleep(pace) })
	s.rage()
	<-customers.done
	// The faults go on until half of the work is done under them.
	limit := time.Minute + time.Duration(orders)*time.Second
	eventually(t, limit, "half of the orders are in Odoo", func() bool {
		ids, err := w.erp.Search("sale.order", nil)
		return err == nil && len(ids) >= orders/2
	})
	f.calm()
	for _, p := range w.processes {
		p.signal(syscall.SIGCONT)
		eventually(t, time.Minute, p.name+" is up", p.answers)
	}
	c.settle(limit)
	eventually(t, limit, "nothing is left to do", func() bool { return open(w.counts()) == 0 })
	took := time.Since(started)

	v := w.verify(customers.orders, c)
	v.report(t, d.name, c, f, s, took)
}
