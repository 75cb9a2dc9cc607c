package gateway

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// buckets are the upper bounds of the histogram's buckets, in seconds.
var buckets = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Metrics counts requests. Its zero value is ready, and safe for concurrent use; its
// Observe is for Config.Observe.
type Metrics struct {
	mu       sync.Mutex // guards the fields below
	requests map[series]uint64
	failures uint64
	routes   map[string]*histogram
}

type series struct {
	route  string
	status int
}

type histogram struct {
	counts [len(buckets) + 1]uint64
	sum    float64
}

// Observe counts a request.
func (m *Metrics) Observe(r Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests == nil {
		m.requests, m.routes = map[series]uint64{}, map[string]*histogram{}
	}
	name := cmp.Or(r.Route, "none")
	m.requests[series{name, r.Status}]++
	if r.Err != nil {
		m.failures++
	}
	h := m.routes[name]
	if h == nil {
		h = new(histogram)
		m.routes[name] = h
	}
	seconds := r.Took.Seconds()
	i, _ := slices.BinarySearch(buckets[:], seconds)
	h.counts[i]++
	h.sum += seconds
}

// Write writes the counts in Prometheus' text format, version 0.0.4. expires is when
// the token ends; zero means none.
func (m *Metrics) Write(w io.Writer, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &printer{w: w}
	p.head("zen_proxy_requests_total", "counter", "Requests by route and status of the answer.")
	keys := slices.SortedFunc(maps.Keys(m.requests), func(a, b series) int {
		return cmp.Or(cmp.Compare(a.route, b.route), a.status-b.status)
	})
	for _, k := range keys {
		p.line("zen_proxy_requests_total{route=%q,status=\"%d\"} %d", k.route, k.status, m.requests[k])
	}
	p.head("zen_proxy_failures_total", "counter", "Requests that the gateway answered with an error, for want of a token or of the database.")
	p.line("zen_proxy_failures_total %d", m.failures)
	p.head("zen_proxy_request_duration_seconds", "histogram", "Time from a request to the end of its answer.")
	for _, route := range slices.Sorted(maps.Keys(m.routes)) {
		p.histogram(route, m.routes[route])
	}
	if !expires.IsZero() {
		p.head("zen_proxy_token_expiry_timestamp_seconds", "gauge", "When the current token ends.")
		p.line("zen_proxy_token_expiry_timestamp_seconds %d", expires.Unix())
	}
	return p.err
}

// printer keeps the first error of many writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) head(name, kind, help string) {
	p.line("# HELP %s %s", name, help)
	p.line("# TYPE %s %s", name, kind)
}

func (p *printer) histogram(route string, h *histogram) {
	const name = "zen_proxy_request_duration_seconds"
	total := uint64(0)
	for i, bound := range buckets {
		total += h.counts[i]
		p.line("%s_bucket{route=%q,le=\"%g\"} %d", name, route, bound, total)
	}
	total += h.counts[len(buckets)]
	p.line("%s_bucket{route=%q,le=\"+Inf\"} %d", name, route, total)
	p.line("%s_sum{route=%q} %g", name, route, h.sum)
	p.line("%s_count{route=%q} %d", name, route, total)
}
