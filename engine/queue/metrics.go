package queue

import (
	"github.com/hibiken/asynq/x/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

// Collector tells Prometheus how the queue stands.
func (q *Queue) Collector() prometheus.Collector {
	return metrics.NewQueueMetricsCollector(q.inspector)
}
