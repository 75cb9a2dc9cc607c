package bao

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"text/template"
	"time"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
	pollInterval = 50 * time.Millisecond
)

// Options shape a server.
type Options struct {
	// Program is bao's path; see [Find].
	Program string
	// Dir is for the server's configuration, log, audit log and storage. It has to exist,
	// and the caller removes it.
	Dir string
	// Plugins is the directory with the plugins' programs, or "".
	Plugins string
	// Address is a loopback address and port; port 0, or "", is a free one.
	Address string
	// Node is the node's name in a Raft cluster; "" means a single server that keeps
	// everything in memory.
	Node string
	// CertFile and KeyFile are for TLS; "" means plain HTTP.
	CertFile, KeyFile string
}

// Server is a running bao. Stop or Kill it.
type Server struct {
	Client
	// UnsealKey opens the server after a start; [Server.Init] has it.
	UnsealKey string

	options Options
	cluster string
	mu      sync.Mutex // guards command and exited
	command *exec.Cmd
	exited  chan struct{}
}

// Start starts a server. It is sealed, and empty the first time.
func Start(ctx context.Context, options Options) (*Server, error) {
	address, err := free(options.Address)
	if err != nil {
		return nil, err
	}
	cluster, err := free("")
	if err != nil {
		return nil, err
	}
	scheme := "http://"
	if options.CertFile != "" {
		scheme = "https://"
	}
	s := &Server{options: options, cluster: cluster, Client: Client{URL: scheme + address}}
	if err := s.configure(address); err != nil {
		return nil, err
	}
	return s, s.Restart(ctx)
}

// free returns a free address. If another process takes it before the server does, the
// server doesn't start.
func free(address string) (string, error) {
	address = cmp.Or(address, "127.0.0.1:0")
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// The default performance_multiplier, 5, takes a cluster nine seconds to have a new
// leader. The audit device is replicated with the rest: a node whose file says another
// path refuses to become the leader, so that the path is in the working directory.
var configuration = template.Must(template.New("").Parse(`
api_addr      = "{{.URL}}"
cluster_addr  = "https://{{.Cluster}}"
log_level     = "info"
{{if .Plugins}}plugin_directory = {{printf "%q" .Plugins}}
{{end}}
listener "tcp" {
  address         = "{{.Address}}"
  cluster_address = "{{.Cluster}}"
{{if .CertFile}}  tls_cert_file   = {{printf "%q" .CertFile}}
  tls_key_file    = {{printf "%q" .KeyFile}}
{{else}}  tls_disable     = true
{{end}}}
{{if .Node}}
storage "raft" {
  path                   = {{printf "%q" .Storage}}
  node_id                = "{{.Node}}"
  performance_multiplier = 1
}
{{else}}
storage "inmem" {}
{{end}}
audit "file" "file" {
  options {
    file_path = "audit.log"
  }
}
`))

func (s *Server) configure(address string) error {
	storage := filepath.Join(s.options.Dir, "storage")
	if err := os.MkdirAll(storage, 0o700); err != nil {
		return err
	}
	var text bytes.Buffer
	err := configuration.Execute(&text, map[string]string{
		"Address": address, "Cluster": s.cluster, "Plugins": s.options.Plugins, "Node": s.options.Node,
		"Storage": storage, "URL": s.URL, "CertFile": s.options.CertFile, "KeyFile": s.options.KeyFile,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(s.file("bao.hcl"), text.Bytes(), 0o600)
}

func (s *Server) file(name string) string { return filepath.Join(s.options.Dir, name) }

// AuditLog returns the path of the server's audit log, in JSON, a line an entry.
func (s *Server) AuditLog() string { return s.file("audit.log") }

// Log returns the path of the log of the server and its plugins.
func (s *Server) Log() string { return s.file("bao.log") }

// Restart starts the server if it isn't running, and returns once it responds. The server
// is then sealed.
func (s *Server) Restart(ctx context.Context) error {
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(s.options.Program, "server", "-config", s.file("bao.hcl"))
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.options.Dir, "TMPDIR=" + os.TempDir()}
	command.Stdout, command.Stderr = log, log
	command.Dir = s.options.Dir
	apart(command)
	if err := command.Start(); err != nil {
		return fmt.Errorf("start bao: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = command.Wait() // how it ended shows in its log
		close(exited)
	}()
	s.mu.Lock()
	s.command, s.exited = command, exited
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if _, err := s.Health(ctx); err == nil {
			return nil
		}
		select {
		case <-exited:
			return fmt.Errorf("bao ended before it answered: %s", s.lastLine())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("bao does not answer: %w", ctx.Err()), s.Kill())
		case <-time.After(pollInterval):
		}
	}
}

func (s *Server) lastLine() string {
	data, err := os.ReadFile(s.Log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return lines[len(lines)-1]
}

// Health describes the state of a server.
type Health struct {
	Initialized bool   `json:"initialized"`
	Sealed      bool   `json:"sealed"`
	Standby     bool   `json:"standby"`
	Version     string `json:"version"`
}

// Health asks the server, in any of its states.
func (s *Server) Health(ctx context.Context) (Health, error) {
	var h Health
	const ok = "200"
	path := "sys/health?standbycode=" + ok + "&sealedcode=" + ok + "&uninitcode=" + ok
	return h, s.Call(ctx, http.MethodGet, path, nil, &h)
}

// Init makes the storage, with one key, and unseals it. It sets Token, a root token,
// and UnsealKey.
func (s *Server) Init(ctx context.Context) error {
	var made struct {
		Keys  []string `json:"keys_base64"`
		Token string   `json:"root_token"`
	}
	body := map[string]int{"secret_shares": 1, "secret_threshold": 1}
	if err := s.Call(ctx, http.MethodPost, "sys/init", body, &made); err != nil {
		return err
	}
	if len(made.Keys) != 1 {
		return fmt.Errorf("init: %d keys", len(made.Keys))
	}
	s.Token, s.UnsealKey = made.Token, made.Keys[0]
	return s.Unseal(ctx)
}

// Join makes the node one of another's cluster, and unseals it.
func (s *Server) Join(ctx context.Context, leader *Server) error {
	s.Token, s.UnsealKey = leader.Token, leader.UnsealKey
	if err := s.Call(ctx, http.MethodPost, "sys/storage/raft/join", map[string]string{"leader_api_addr": leader.URL}, nil); err != nil {
		return err
	}
	return s.Unseal(ctx)
}

// Unseal unseals the server and waits until it works, as leader or standby.
func (s *Server) Unseal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := s.Call(ctx, http.MethodPost, "sys/unseal", map[string]string{"key": s.UnsealKey}, nil)
		if err == nil {
			var leader struct {
				Cluster bool   `json:"ha_enabled"`
				Address string `json:"leader_address"`
			}
			if err = s.Call(ctx, http.MethodGet, "sys/leader", nil, &leader); err == nil && (!leader.Cluster || leader.Address != "") {
				return s.ready(ctx)
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("unseal: %w", ctx.Err()), err)
		case <-time.After(pollInterval):
		}
	}
}

// ready waits until the mounts are there: a leader has its address before.
func (s *Server) ready(ctx context.Context) error {
	for {
		err := s.Call(ctx, http.MethodGet, "sys/mounts", nil, nil)
		var answered *Error
		if err == nil || errors.As(err, &answered) && answered.Status < 500 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pollInterval):
		}
	}
}

// PID returns the server's process, or 0 if it isn't running. Its plugins are of its
// process group.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command == nil {
		return 0
	}
	return s.command.Process.Pid
}

// Stop ends the server and the plugins that it runs.
func (s *Server) Stop() error { return s.end(false) }

// Kill ends it abruptly, like a power cut.
func (s *Server) Kill() error { return s.end(true) }

func (s *Server) end(now bool) error {
	s.mu.Lock()
	command, exited := s.command, s.exited
	s.command = nil
	s.mu.Unlock()
	if command == nil {
		return nil
	}
	if !now {
		if err := askToEnd(command); err == nil {
			select {
			case <-exited:
			case <-time.After(stopTimeout):
			}
		}
	}
	err := endAll(command) // its plugins too, which outlive a server that was killed
	<-exited
	return err
}
