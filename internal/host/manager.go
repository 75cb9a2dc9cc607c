package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/private"
)

// Options say where providers are and where their logs go.
type Options struct {
	// Dirs are searched in this order: the directory of the zen binary, the
	// directory of installed providers. PATH never is.
	Dirs []string
	// Trust says whether a binary may run: nil, or the error with which its start
	// fails. It is called at each start with the sum of the bytes that are about to
	// run, and may ask a person. A nil Trust takes what is in Dirs on trust; package
	// pin has one for zen.lock.
	Trust func(context.Context, Binary) error
	// Described is told what a binary that Trust let through said of itself, at each
	// start. Nil means fine.
	Described func(context.Context, Binary, provider.Description)
	// Override says what runs in place of a provider that is being written, from a
	// path that is absolute: a program, about which Trust isn't asked, or the socket of
	// a process that its author started (see Serve). "" means nothing. It is called at
	// each start with a name that a provider can have. Nil overrides none.
	Override func(name string) (path string, err error)
	// TraceDir takes the trace of a provider's panic, redacted, in a file NAME.txt
	// that only this user reads; "" keeps none.
	TraceDir string
	// Log receives what providers log and print, redacted; nil discards it.
	Log io.Writer
	// Level is the least that Log receives: trace, debug, info, warn, error or off;
	// "" is debug.
	Level string
	// Expect are providers that will probably be opened in a moment: their programs are hashed
	// meanwhile, which takes longer than anything else before a start.
	Expect []string
	// Watcher is a program that leftover.Run is in: one is started beside each provider,
	// and ends what that has left when this process is killed. If "", the next Manager
	// that starts a provider does.
	Watcher string
	// Environ is the environment of which providers see an allow-list; nil means this
	// process's.
	Environ []string
}

// Manager starts providers and shares them. It is safe for concurrent use.
type Manager struct {
	options Options
	limits  limits
	redact  *redactor
	sink    *sink

	// base ends with Close, and with it every start.
	base   context.Context
	cancel context.CancelFunc
	// expected is what Options.Expect names, until it is started.
	expected *expected
	// running counts the goroutines of the Manager.
	running  sync.WaitGroup
	sweeping sync.Once

	// mu guards what is below.
	mu        sync.Mutex
	closed    bool
	described map[string]provider.Description
	// fresh are started but not configured, by name; open are configured, by name
	// and settings.
	fresh map[string]*starting
	open  map[string]*starting
}

// starting is a client that is there once ready is closed.
type starting struct {
	ready  chan struct{}
	client *Client
	err    error
}

// NewManager returns a Manager that has started nothing. Close it at the end.
func NewManager(options Options) *Manager {
	if options.Environ == nil {
		options.Environ = os.Environ()
	}
	m := &Manager{
		options:   options,
		limits:    defaultLimits,
		redact:    &redactor{},
		described: make(map[string]provider.Description),
		fresh:     make(map[string]*starting),
		open:      make(map[string]*starting),
		expected:  expect(options.Dirs, options.Expect),
	}
	if options.Log != nil {
		m.sink = &sink{redact: m.redact, out: options.Log, level: level(options.Level)}
	}
	m.base, m.cancel = context.WithCancel(context.Background())
	return m
}

// List returns the providers that are there, by name. It starts none.
func (m *Manager) List() []Found { return list(m.options.Dirs) }

// Describe says who the provider is. Its process, which is started for that, is
// the one that a later Open configures.
func (m *Manager) Describe(ctx context.Context, name string) (provider.Description, error) {
	m.mu.Lock()
	if description, ok := m.described[name]; ok {
		m.mu.Unlock()
		return description, nil
	}
	s, ok := m.fresh[name]
	if !ok {
		s = &starting{ready: make(chan struct{})}
		if err := m.begin(m.fresh, name, s, func() (*Client, error) { return m.start(name) }); err != nil {
			m.mu.Unlock()
			return provider.Description{}, err
		}
	}
	m.mu.Unlock()
	client, err := s.wait(ctx)
	if err != nil {
		return provider.Description{}, err
	}
	return client.Describe(ctx)
}

// Open returns the provider with these settings, started and configured. All
// callers with the same name and settings share one process, which ends when it
// wasn't called for ten minutes. Once it ended, in whatever way, the next call
// starts another. A call that a crash cut short is made again, once, if it takes no
// credential and changes nothing (Describe, Verify, Setup); all others are the caller's
// to make again. The clients end with Close.
func (m *Manager) Open(ctx context.Context, name string, settings provider.Settings) (*Client, error) {
	key := fingerprint(name, settings)
	m.mu.Lock()
	s, ok := m.open[key]
	if ok && s.ended() {
		ok = false
	}
	if !ok {
		s = &starting{ready: make(chan struct{})}
		unconfigured := m.fresh[name]
		delete(m.fresh, name)
		if err := m.begin(m.open, key, s, func() (*Client, error) {
			return m.configured(name, unconfigured, settings)
		}); err != nil {
			m.mu.Unlock()
			return nil, err
		}
	}
	m.mu.Unlock()
	return s.wait(ctx)
}

// begin fills s in a goroutine that ends before Close does, and keeps it in the
// list under key, unless it fails. The caller holds mu.
//
// The caller's context doesn't end the start: others may be waiting for it.
func (m *Manager) begin(list map[string]*starting, key string, s *starting, fill func() (*Client, error)) error {
	if m.closed {
		return &provider.Error{Kind: provider.ErrUnavailable, Message: "open provider: the manager is closed"}
	}
	list[key] = s
	m.running.Go(func() {
		s.client, s.err = fill()
		if s.err != nil {
			m.mu.Lock()
			if list[key] == s {
				delete(list, key)
			}
			m.mu.Unlock()
		}
		close(s.ready)
	})
	return nil
}

// configured takes an unconfigured client, or starts one, and configures it.
func (m *Manager) configured(name string, unconfigured *starting, settings provider.Settings) (*Client, error) {
	var client *Client
	var err error
	if unconfigured != nil {
		client, err = unconfigured.wait(m.base)
	}
	if unconfigured == nil || err == nil && unconfigured.ended() {
		client, err = m.start(name)
	}
	if err != nil {
		return nil, err
	}
	if client.notes, err = client.Configure(m.base, settings); err != nil {
		client.conn.stop()
		return nil, err
	}
	client.conn.again = func(ctx context.Context) (*conn, error) {
		next, err := m.Open(ctx, name, settings)
		if err != nil {
			return nil, err
		}
		return next.conn, nil
	}
	return client, nil
}

// start finds and starts a provider.
func (m *Manager) start(name string) (*Client, error) {
	path, err := m.override(name)
	if err != nil {
		return nil, err
	}
	trust := m.options.Trust
	switch {
	case path == "":
		path, err = find(m.options.Dirs, name)
	case handshake.IsSocket(path):
		return m.attach(name, path)
	default:
		trust = nil
		path, err = resolveOverride(name, path)
	}
	if err != nil {
		return nil, err
	}
	m.sweeping.Do(func() {
		m.running.Go(func() {
			for _, parent := range socketParents() {
				private.SweepDirs(m.base, parent, leftover.Prefix, time.Now(), leftover.End)
			}
		})
	})
	program := m.expected.take(name, path)
	if program == nil {
		if program, err = openProgram(name, path); err != nil {
			return nil, err
		}
	}
	defer program.Close() // when it runs, and has read what it is read from
	var room *room
	var roomErr error
	var making sync.WaitGroup
	making.Go(func() { room, roomErr = makeRoom(name, m.options.Watcher) })
	binary, err := program.admit(m.base, trust)
	making.Wait()
	if err == nil && trust != nil {
		err = program.remains(binary)
	}
	if err != nil {
		if roomErr == nil {
			room.leave()
		}
		return nil, err
	}
	if roomErr != nil {
		return nil, roomErr
	}
	ctx, cancel := context.WithTimeout(m.base, m.limits.start)
	defer cancel()
	p, inner, err := start(ctx, launch{
		program: program, environ: m.options.Environ, sink: m.sink, redact: m.redact, limits: m.limits,
		traceDir: m.options.TraceDir, room: room,
	})
	if err != nil {
		return nil, m.startError(name, err)
	}
	if trust != nil {
		if err := program.started(); err != nil {
			p.stop()
			return nil, err
		}
	}
	m.running.Go(func() {
		select {
		case <-p.child.exited:
		case <-p.use.idle:
		case <-m.base.Done():
		}
		p.stop()
	})
	client, err := connected(ctx, &conn{
		ClientConnInterface: inner, name: name, limits: m.limits, redact: m.redact, process: p,
	})
	if err == nil {
		err = client.is(name)
	}
	if err != nil {
		p.stop()
		return nil, m.startError(name, err)
	}
	removeSocket(p.room.dir.Path)
	if m.options.Described != nil && trust != nil {
		m.options.Described(m.base, binary, client.description)
	}
	m.mu.Lock()
	m.described[name] = client.description
	m.mu.Unlock()
	return client, nil
}

// startError says what an expired start means.
func (m *Manager) startError(name string, err error) error {
	switch {
	case m.base.Err() != nil:
		return fmt.Errorf("start provider %s: %w", name, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return &StartTimeoutError{Name: name, After: m.limits.start}
	}
	return err
}

// End begins what Close does, and waits for nothing: Close has to follow.
func (m *Manager) End() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
}

// Close ends every provider and waits for that, at most until ctx ends, and never
// much longer than three seconds. Calls that are under way fail. After a Ctrl-C it
// wants a context that isn't canceled: context.WithoutCancel.
func (m *Manager) Close(ctx context.Context) error {
	m.End()
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.running.Wait()
		m.expected.close()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close providers: %w", ctx.Err())
	}
}

func (s *starting) wait(ctx context.Context) (*Client, error) {
	select {
	case <-s.ready:
		return s.client, s.err
	case <-ctx.Done():
		return nil, fmt.Errorf("open provider: %w", ctx.Err())
	}
}

// ended reports whether there was a process that ended.
func (s *starting) ended() bool {
	select {
	case <-s.ready:
		return s.err == nil && !s.client.conn.alive()
	default:
		return false
	}
}

// fingerprint distinguishes settings without keeping them.
func fingerprint(name string, settings provider.Settings) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q", name)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(hash, "%q%q", key, settings.Get(key))
	}
	return string(hash.Sum(nil))
}
