package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/harden"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/testwait"
	"github.com/zen-auth/zen/internal/wire"
)

// The test binary is also every provider of these tests: it is linked as zen-provider-NAME,
// and NAME selects its behaviour.
func TestMain(m *testing.M) {
	if leftover.Run(os.Args) {
		syscall.Exit(0)
	}
	name, ok := handshake.ProviderName(filepath.Base(os.Args[0]))
	if !ok {
		os.Exit(m.Run())
	}
	switch role, _, _ := strings.Cut(name, "-"); role {
	case "good":
		plugin.Serve(&example{name: name})
		syscall.Exit(0) // os.Exit takes a second under the race detector
	case "touched": // as if somebody had written to its file just before it started
		if self, err := os.Executable(); err != nil || os.Chtimes(self, time.Time{}, time.Now()) != nil {
			syscall.Exit(3)
		}
		plugin.Serve(&example{name: name})
	case "misnamed":
		plugin.Serve(&example{name: "somebody-else"})
	case "exits":
		fmt.Fprintln(os.Stderr, "no reason, Bearer", planted)
		syscall.Exit(3)
	case "rubbish":
		fmt.Println("DEBUG token=" + plantedJWT + " " + strings.Repeat("x", 100<<10))
		hang()
	case "closes":
		os.Stdout.Close()
		hang()
	case "mute":
		hang()
	case "half":
		fmt.Print("1|1|unix|")
		hang()
	case "old":
		fmt.Println("1|7|unix|/nowhere|grpc|")
		hang()
	case "insecure":
		fmt.Println("1|1|unix|/nowhere|grpc|")
		hang()
	case "remote":
		fmt.Println("1|1|tcp|192.0.2.1:443|grpc|" + strings.Repeat("A", 100))
		hang()
	case "tcp": // as on Windows
		serveTCP()
	case "netrpc":
		fmt.Println("1|1|unix|/nowhere|netrpc|")
		hang()
	case "stuck": // completes the handshake, and doesn't answer the first call
		plugin.Serve(&stuck{})
	case "frozen": // prints a valid greeting, and doesn't answer the TLS handshake
		greet()
		hang()
	case "bare": // as in go-plugin's documentation
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  handshake.Config,
			VersionedPlugins: map[int]goplugin.PluginSet{handshake.ProtocolVersion: {"provider": served{provider: &example{name: name}}}},
			GRPCServer:       goplugin.DefaultGRPCServer,
			Logger:           hclog.NewNullLogger(),
		})
	case "huge":
		serveHuge()
	case "deaf":
		fmt.Printf("1|1|unix|%s/none|grpc|%s\n", os.Getenv(goplugin.EnvUnixSocketDir), strings.Repeat("A", 100))
		hang()
	case "host":
		beHost(os.Args[1], os.Args[2], os.Args[3:])
	}
	os.Exit(0)
}

// hang blocks for longer than any test waits. If a limit of the host fails to end it, the
// test hangs.
func hang() { time.Sleep(time.Hour) }

const (
	planted    = "planted-s3cret-value"
	plantedJWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJl"
)

// standardError is the process's own standard error, which go-plugin replaces.
var standardError = os.Stderr

// served registers a provider with go-plugin as in its documentation.
type served struct {
	goplugin.NetRPCUnsupportedPlugin
	goplugin.GRPCPlugin
	provider provider.Provider
}

// GRPCServer implements goplugin.GRPCPlugin.
func (s served) GRPCServer(_ *goplugin.GRPCBroker, server *grpc.Server) error {
	wire.Register(server, s.provider)
	return nil
}

// example is a provider whose Verify obeys the command in the token.
type example struct {
	name     string
	settings provider.Settings
}

func (e *example) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name: e.name, Version: "1.0.0",
		Fields: []provider.Field{{Key: "api_key", Sensitive: true}, {Key: "color"}},
	}, nil
}

func (e *example) Configure(_ context.Context, settings provider.Settings) ([]provider.Note, error) {
	if settings.Get("color") == "wrong" {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: "color is wrong", Hint: "take another"}
	}
	e.settings = settings
	return []provider.Note{{Text: "color is " + settings.Get("color")}}, nil
}

func (e *example) Check(_ context.Context, _ provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	return nil, report(provider.Finding{ID: "mood", Severity: provider.SeverityOK})
}

func (e *example) Login(ctx context.Context, _ provider.LoginRequest, host provider.Host) error {
	pin, err := host.AskSecret(ctx, "pin")
	if err != nil {
		return err
	}
	switch pin.Reveal() {
	case "crash":
		syscall.Exit(9)
	case "panic":
		panic(planted)
	case "goroutine":
		go panic(planted)
		select {}
	}
	return host.Store(ctx, provider.SignIn{Credential: provider.Credential{Data: provider.NewSecret(planted)}})
}

func (e *example) Refresh(_ context.Context, c provider.Credential) (provider.Credential, error) {
	if path, ok := strings.CutPrefix(c.Data.Reveal(), "exit-once "); ok && os.Remove(path) == nil {
		syscall.Exit(7)
	}
	return provider.Credential{}, fmt.Errorf("refresh: %w: the server did not like %s", provider.ErrRejected, c.Data.Reveal())
}

func (e *example) Revoke(context.Context, provider.Credential) error { return nil }

func (e *example) Verify(ctx context.Context, token provider.Secret) (provider.Claims, error) {
	switch command, argument, _ := strings.Cut(token.Reveal(), " "); command {
	case "pid":
		return provider.Claims{Subject: fmt.Sprint(os.Getpid())}, nil
	case "group":
		return provider.Claims{Subject: fmt.Sprint(processGroup())}, nil
	case "cwd":
		dir, err := os.Getwd()
		return provider.Claims{Subject: dir, ID: os.Getenv(goplugin.EnvUnixSocketDir)}, err
	case "environ":
		return provider.Claims{Audience: os.Environ(), Actor: strings.Join(os.Args, " ")}, nil
	case "stdin":
		data, err := io.ReadAll(os.Stdin)
		return provider.Claims{Subject: string(data)}, err
	case "settings":
		return provider.Claims{Subject: e.settings.Get(argument)}, nil
	case "hang": // and ignores the end of ctx
		_ = os.Remove(argument) // says that it has begun
		select {}
	case "wait":
		<-ctx.Done()
		return provider.Claims{}, ctx.Err()
	case "panic":
		panic("the credential is " + argument)
	case "divide":
		return provider.Claims{Subject: fmt.Sprint(1 / len(argument))}, nil
	case "crash":
		go func() { panic("the credential is " + argument) }()
		select {}
	case "exit":
		syscall.Exit(7)
	case "exit-once": // once, while the file exists
		if os.Remove(argument) == nil {
			syscall.Exit(7)
		}
		return provider.Claims{Subject: "again"}, nil
	case "flood":
		for {
			fmt.Println(strings.Repeat("x", 4<<10))
			fmt.Fprintln(standardError, strings.Repeat("y", 100<<10))
		}
	case "giant":
		return provider.Claims{Subject: strings.Repeat("x", 2<<20)}, nil
	case "child": // a child process, which outlives its parent unless it is killed
		cmd := exec.Command("sleep", "3600")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		err := cmd.Start()
		return provider.Claims{Subject: fmt.Sprint(cmd.Process.Pid)}, err
	case "hold": // a child process with an empty environment that holds a named pipe open
		return provider.Claims{}, exec.Command("sh", "-c", `env -i PATH="$PATH" setsid sleep 3600 >"$0" 2>&1 &`, argument).Run()
	case "daemon": // a process in a session of its own, whose parent has ended
		out, err := exec.Command("sh", "-c", "setsid sleep 3600 >/dev/null 2>&1 & echo $!").Output()
		return provider.Claims{Subject: strings.TrimSpace(string(out))}, err
	case "leak":
		fmt.Println("printed", argument)
		fmt.Fprintln(os.Stderr, "printed to stderr", argument)
		fmt.Fprintln(standardError, "raw", argument)
		fmt.Fprintln(standardError, `{"@level":5,"@message":["`+argument+`"],"k":{"v":"`+argument+`"}}`)
		fmt.Fprintln(standardError, strings.Repeat("x", maxLine-10)+argument)
		plugin.Logger().Info("logged", "value", argument, "secret", provider.NewSecret(argument))
		plugin.Logger().Debug("get https://user:" + argument + "@example.com/?code=" + argument)
		return provider.Claims{}, errors.New("failed with " + argument)
	}
	return provider.Claims{}, errors.New("unknown command")
}

// isDumpable reports whether this process may dump core, on systems that tell.
var isDumpable = func() bool { return false }

// beHost runs a host until it is killed, and prints its provider's answers to commands.
func beHost(dir, watcher string, commands []string) {
	runtime.LockOSThread() // providers must not depend on the thread that started them
	if err := harden.Host(); err != nil || isDumpable() {
		panic(fmt.Sprint("not hardened: ", err))
	}
	m := NewManager(Options{Dirs: []string{dir}, Watcher: watcher})
	client, err := m.Open(context.Background(), "good", nil)
	if err != nil {
		panic(err)
	}
	for _, command := range commands {
		claims, err := client.Verify(context.Background(), provider.NewSecret(command))
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(claims.Subject + "\n")
	}
	hang()
}

// stuck is a provider whose Describe hangs.
type stuck struct{ example }

func (*stuck) Describe(context.Context) (provider.Description, error) { select {} }

// installed returns a directory with the test binary under each of names.
func installed(t testing.TB, names ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, handshake.BinaryName(name))
		// Windows can't delete a running program's file, even by another name.
		if runtime.GOOS != "windows" && os.Link(self, path) == nil {
			continue
		}
		data, err := os.ReadFile(self)
		if err == nil {
			err = os.WriteFile(path, data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// manage returns a Manager of the providers with these names, which is closed at the end of
// the test.
func manage(t testing.TB, options Options, names ...string) *Manager {
	t.Helper()
	options.Dirs = []string{installed(t, names...)}
	m := NewManager(options)
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// open opens a provider or fails the test.
func open(t testing.TB, m *Manager, name string) *Client {
	t.Helper()
	client, err := m.Open(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// ask sends a command to the example provider.
func ask(t testing.TB, c *Client, command string) provider.Claims {
	t.Helper()
	claims, err := c.Verify(t.Context(), provider.NewSecret(command))
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return claims
}

// waitGone waits for the end of a process that isn't a child of this one.
func waitGone(t testing.TB, pid string) {
	t.Helper()
	testwait.Until(t, "the end of process "+pid, func() bool { return ended(pid) })
}

func ended(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err != nil || slices.Contains(strings.Fields(string(stat)), "Z")
}

var pidCommand = provider.NewSecret("pid")

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("this test reads /proc")
	}
}
