package queue

import "time"

// SetLostAfter makes a dispatcher that has not started look sooner for lost
// rings.
func (d *Dispatcher) SetLostAfter(after time.Duration) { d.lostAfter = after }
