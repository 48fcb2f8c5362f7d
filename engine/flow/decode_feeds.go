package flow

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"gopkg.in/yaml.v3"
)

// feedNodes are where a feed's parts stand, for diagnostics.
type feedNodes struct{ feed, event, deleted, every *yaml.Node }

type wakeNodes struct{ event *yaml.Node }

type scheduleNodes struct{ every, cron *yaml.Node }

// decodeFeeds reads the feeds and schedules of app.yaml. Structure was checked
// before; what does not fit is left out here.
func (l *loader) decodeFeeds(d *document) {
	for key, n := range entries(get(d.root, "feeds")) {
		f := &Feed{
			At: d.at(key), Name: key.Value, Title: text(get(n, "title")),
			Call: decodeCall(d, n), Event: text(get(n, "event")), Payload: d.value(get(n, "payload")),
			Key: d.value(get(n, "key")), Content: d.value(get(n, "content")), Every: d.value(get(n, "every")),
			Enabled: decodeCondition(d, get(n, "enabled")), StartAll: text(get(n, "start")) == "all",
			Deleted: text(get(n, "deleted")),
			nodes:   feedNodes{feed: key, event: get(n, "event"), deleted: get(n, "deleted"), every: get(n, "every")},
		}
		f.Batch, _ = strconv.Atoi(text(get(n, "batch"))) // its form was checked
		if f.Event == "" {
			f.Event = FeedName + "." + f.Name
		}
		if wake := get(n, "wake"); wake != nil {
			list := []*yaml.Node{wake}
			if wake.Kind == yaml.SequenceNode {
				list = wake.Content
			}
			for _, w := range list {
				f.Wake = append(f.Wake, Wake{
					At: d.at(w), Event: text(get(w, "event")), When: decodeCondition(d, get(w, "when")), node: wakeNodes{event: get(w, "event")},
				})
			}
		}
		if f.Call != nil && f.Every != nil {
			l.app.Feeds = append(l.app.Feeds, f)
		}
	}
	for key, n := range entries(get(d.root, "schedules")) {
		if s := decodeSchedule(d, key, n); s != nil {
			l.app.Schedules = append(l.app.Schedules, s)
		}
	}
}

// cronParser reads the five fields of crontab(5).
var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

func decodeSchedule(d *document, key, n *yaml.Node) *Schedule {
	s := &Schedule{
		At: d.at(key), Name: key.Value, Title: text(get(n, "title")), Every: d.value(get(n, "every")), Cron: text(get(n, "cron")),
		Zone: time.UTC, Enabled: decodeCondition(d, get(n, "enabled")), nodes: scheduleNodes{every: get(n, "every"), cron: get(n, "cron")},
	}
	if at := get(n, "zone"); at != nil {
		zone, err := time.LoadLocation(at.Value)
		if err != nil {
			d.reportNode(at, "wrong-value", "a name of the time zone database, like Europe/Berlin", "there is no time zone %q", at.Value)
			return nil
		}
		s.Zone = zone
	}
	switch {
	case s.Every == nil && s.nodes.cron == nil:
		d.reportNode(key, "missing-key", "for example every: 15m, or cron: \"0 6 * * *\"", "the schedule %q says neither every nor cron", s.Name)
		return nil
	case s.Every != nil && s.nodes.cron != nil:
		d.reportNode(s.nodes.cron, "misplaced-key", "", "the schedule %q has every already", s.Name)
		return nil
	case s.nodes.cron != nil:
		parsed, err := cronParser.Parse(s.Cron)
		if err == nil && strings.ContainsAny(s.Cron, "=@") {
			err = errors.New("five fields were expected")
		}
		if err != nil {
			d.reportNode(s.nodes.cron, "wrong-value", "minute, hour, day, month and weekday, like 0 6 * * *; the zone stands under zone", "%q is no cron expression: %v", s.Cron, err)
			return nil
		}
		if parsed.Next(time.Now()).IsZero() {
			d.reportNode(s.nodes.cron, "wrong-value", "", "%q names a time that never comes", s.Cron)
			return nil
		}
		s.cron = parsed
	}
	return s
}
