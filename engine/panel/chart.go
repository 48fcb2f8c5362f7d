package panel

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Charts are SVG of 1000 by 100, stretched to their place. Words stand beside
// them: stretched text would not be read.
const (
	chartWide = 1000.0
	chartHigh = 100.0
)

// bySlot puts the slots that have something in their places.
func bySlot(begin time.Time, s span, slots []store.Slot) []store.Slot {
	all := make([]store.Slot, s.Slots)
	for i := range all {
		all[i].At = begin.Add(time.Duration(i) * s.Slot)
	}
	for _, slot := range slots {
		if i := int(slot.At.Sub(begin) / s.Slot); i >= 0 && i < len(all) {
			all[i] = slot
		}
	}
	return all
}

// throughputChart draws what ended in each slot, as stacked bars.
func throughputChart(begin time.Time, s span, slots []store.Slot) template.HTML {
	all := bySlot(begin, s, slots)
	most, total := 1, 0
	for _, slot := range all {
		n := slot.Succeeded + slot.Skipped + slot.Held + slot.Failed
		most, total = max(most, n), total+n
	}
	var b strings.Builder
	openChart(&b, fmt.Sprintf("Runs that ended in the last %s: %d in all, at most %d in %s.", s.Words, total, most, slotWords(s)))
	width := chartWide / float64(len(all))
	for i, slot := range all {
		y := chartHigh
		for _, part := range []struct {
			tone string
			word string
			n    int
		}{{"good", "done", slot.Succeeded}, {"calm", "nothing to do", slot.Skipped}, {"warn", "held", slot.Held}, {"bad", "failed", slot.Failed}} {
			if part.n == 0 {
				continue
			}
			high := chartHigh * float64(part.n) / float64(most)
			y -= high
			fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.2f" width="%.1f" height="%.2f"><title>%s: %d %s</title></rect>`,
				part.tone, float64(i)*width+width*0.12, y, width*0.76, high, slot.At.Format("2 Jan 15:04 UTC"), part.n, part.word)
		}
	}
	top := ""
	if total > 0 {
		top = fmt.Sprintf("at most %d", most)
	}
	closeChart(&b, begin, s, top)
	return template.HTML(b.String())
}

// lagChart draws how long runs took, as a line.
func lagChart(begin time.Time, s span, slots []store.Slot) template.HTML {
	all := bySlot(begin, s, slots)
	most := time.Duration(0)
	for _, slot := range all {
		most = max(most, slot.Lag)
	}
	var b strings.Builder
	words := "Nothing was done yet."
	if most > 0 {
		words = fmt.Sprintf("Average delay in the last %s: at most %s in %s.", s.Words, took(most), slotWords(s))
	}
	openChart(&b, words)
	width := chartWide / float64(len(all))
	var line strings.Builder
	for i, slot := range all {
		y := chartHigh
		if most > 0 {
			y -= 94 * float64(slot.Lag) / float64(most)
		}
		fmt.Fprintf(&line, "%.1f,%.2f ", float64(i)*width+width/2, y)
	}
	points := strings.TrimSpace(line.String())
	fmt.Fprintf(&b, `<polygon class="area" points="%.1f,100 %s %.1f,100"/><polyline class="line" points="%s"/>`, width/2, points, chartWide-width/2, points)
	top := ""
	if most > 0 {
		top = "at most " + took(most)
	}
	closeChart(&b, begin, s, top)
	return template.HTML(b.String())
}

func openChart(b *strings.Builder, words string) {
	fmt.Fprintf(b, `<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="%s">`, template.HTMLEscapeString(words))
	for _, y := range []int{0, 50, 100} {
		fmt.Fprintf(b, `<line class="grid" x1="0" x2="1000" y1="%d" y2="%d"/>`, y, y)
	}
}

func closeChart(b *strings.Builder, begin time.Time, s span, top string) {
	form := "day"
	if s.Slot <= time.Hour {
		form = "hour"
	}
	at := func(t time.Time) string {
		return fmt.Sprintf(`<time datetime="%s" data-form="%s">%s</time>`, t.Format(time.RFC3339), form, t.Format("2 Jan 15:04"))
	}
	middle := begin.Add(time.Duration(s.Slots/2) * s.Slot)
	fmt.Fprintf(b, `</svg><div class="axis"><span>%s</span><span>%s</span><span>%s</span></div>`, at(begin), at(middle), "now")
	if top != "" {
		fmt.Fprintf(b, `<p class="calm small">%s in %s</p>`, template.HTMLEscapeString(sentence(top)), slotWords(s))
	}
}

func slotWords(s span) string {
	switch s.Slot {
	case time.Hour:
		return "an hour"
	case 24 * time.Hour:
		return "a day"
	}
	return fmt.Sprintf("%d hours", int(s.Slot.Hours()))
}
