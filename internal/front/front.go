// Package front answers zen token and zen exec from a good stored token: it reads,
// verifies and prints, and becomes zen-full for everything else, or zen-query, which has a
// network client, for zen db query. Where the token has to be renewed it has zen-full's
// process do that, and reads again. What is linked is paid for at every start, and zen
// token may run at every prompt of a shell: it links no gRPC, no network client and no flag
// library.
package front

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
	"github.com/zen-auth/zen/internal/cache"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/early"
	"github.com/zen-auth/zen/internal/keyring"
	"github.com/zen-auth/zen/internal/leftover"
	"github.com/zen-auth/zen/internal/replace"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/terminal"
	"github.com/zen-auth/zen/internal/tokenform"
)

// Exit codes of what goes wrong here: zen-full has all others.
const (
	exitOther  = 1
	exitConfig = 2
)

// Run does what the line says, and returns the exit code. It returns only where the
// token was printed, or where zen-full can't be had. As a watcher, it does that.
func Run(args []string, stdout, stderr *os.File) int {
	growStack(false)
	if leftover.Run(args) {
		return 0
	}
	if l, ok := readLine(args); ok && l.sql != "" {
		_ = become("zen-query", args) // zen-full can do it, too
	} else if ok {
		done, err := l.perform(stdout, stderr)
		switch {
		case done && err != nil:
			fmt.Fprintln(stderr, "zen:", err)
			return exitOther
		case done:
			return 0
		}
	}
	return BecomeFull(args, stderr)
}

// growStack makes the stack as large as perform needs it, while it has three frames. On the
// way there it would double four times: what each frame keeps is looked up in tables that
// nothing else reads, and copied. That would be 9 page faults of 320, and 0.2 MiB.
//
//go:noinline
func growStack(use bool) byte {
	if !use {
		return 0 // the room is made, and not touched
	}
	var room [20 << 10]byte
	for i := range room {
		room[i] = byte(i)
	}
	return room[os.Getpid()%len(room)]
}

// BecomeFull has zen-full do the line as it was typed. Where that can't be had it says so,
// and returns the exit code.
func BecomeFull(args []string, stderr io.Writer) int {
	err := become("zen-full", args)
	fmt.Fprintln(stderr, "zen:", err)
	if hint := provider.Hint(err); hint != "" {
		fmt.Fprintln(stderr, "hint:", hint)
	}
	if errors.Is(err, provider.ErrConfig) {
		return exitConfig
	}
	return exitOther
}

// perform does what the line says, if a good stored token is all that is needed, or one that
// is renewed quickly. Until done, nothing was printed, and whatever is missing or wrong is
// zen-full's to tell.
func (l line) perform(stdout, stderr *os.File) (done bool, err error) {
	var write func(io.Writer, tokenform.Answer) error
	var extra map[string]string
	var path string
	if l.command == nil {
		write, err = l.choice().Writer()
	} else if extra, err = tokenform.Variables(l.env); err == nil {
		if path, err = exec.LookPath(l.command[0]); err == nil {
			path, err = filepath.Abs(path)
		}
	}
	if err != nil {
		return false, err
	}
	r, err := l.resolve()
	if err != nil {
		return false, err
	}
	token, err := r.stored()
	var child *early.Child
	if errors.Is(err, errRenew) {
		token, child, err = l.renewed(r, stderr)
	}
	if err != nil {
		return false, err
	}
	answer := tokenform.Answer{
		Profile: r.profile.Name, Database: r.profile.Target.URL, Chosen: l.value["database"] != "", Access: r.profile.Access, Token: token,
	}
	if l.command == nil {
		err = write(stdout, answer)
		child.End()
		return true, err
	}
	child.End()
	return false, replace.Process(path, l.command, answer.Environment(os.Environ(), extra))
}

// keyringTimeout limits how long the keyring is waited for here. One that is unlocked answers
// in six milliseconds; zen-full waits for a person who has to unlock it, and says so.
const keyringTimeout = 250 * time.Millisecond

// errElse is the error for everything that a good stored token doesn't answer.
var errElse = errors.New("not answered from the store")

// errRenew is the error where somebody is signed in, and has no good token.
var errRenew = errors.New("the token has to be renewed")

// renewTimeout limits how long a renewal is waited for here. zen-full, which takes a hundredth
// of a second to start, waits on, and says so.
const renewTimeout = 250 * time.Millisecond

// renewed has the token renewed by the process that zen-full would ask, and returns the one
// that is stored then. On an error zen-full has the process, and its answer.
func (l line) renewed(r *reader, stderr *os.File) (provider.Token, *early.Child, error) {
	wait, err := keyring.OptionsFor(terminal.Interactive(l.switched["no-input"], os.Stdin, stderr), os.Getenv(keyring.EnvTimeout))
	path, pathErr := beside("zen-full")
	request, encodeErr := json.Marshal(r.renewal)
	if err := errors.Join(err, pathErr, encodeErr); err != nil {
		return provider.Token{}, nil, err
	}
	child := early.Start(path, wait.Entry(), early.Arguments("renew", l.value["config"], false, l.switched["quiet"] || l.switched["q"]), request)
	if child == nil {
		return provider.Token{}, nil, errRenew
	}
	if child.Answered(renewTimeout) {
		// zen-full has something to say of one that nothing renews.
		if token, err := r.stored(); err == nil && !cache.LongLived(token) {
			return token, child, nil
		}
	}
	child.HandOver()
	return provider.Token{}, nil, errRenew
}

// Query is a line of zen db query that a good stored token answers.
type Query struct {
	SQL    string
	Target provider.Target
	Access provider.Access
	Token  provider.Token
}

// StoredQuery returns the query of a line with its good stored token. ok is false where
// zen-full has to look.
func StoredQuery(args []string) (q Query, ok bool) {
	l, ok := readLine(args)
	if !ok || l.sql == "" {
		return Query{}, false
	}
	r, err := l.resolve()
	if err != nil {
		return Query{}, false
	}
	token, err := r.stored()
	return Query{l.sql, r.profile.Target, r.profile.Access, token}, err == nil
}

// reader reads a profile's stored token.
type reader struct {
	profile cache.Profile
	store   *store.Store
	keys    string
	need    cache.Need
	query   bool
	// renewal is what has to be done, on errRenew.
	renewal cache.Renewal
}

// resolve finds out what the line is about.
func (l line) resolve() (*reader, error) {
	cfg, err := config.Load(config.LoadOptions{
		Path:  l.value["config"],
		Flags: config.Flags{Profile: l.value["profile"], Database: l.value["database"], Access: l.value["access"]},
	})
	if err != nil {
		return nil, err
	}
	p, err := cfg.Profile("")
	if err != nil {
		return nil, err
	}
	if p.Database.Value == "" || store.Storage(p.Storage.Value) == store.StorageNone {
		return nil, errElse
	}
	options, err := keyring.OptionsFor(false, os.Getenv(keyring.EnvTimeout))
	if err != nil {
		return nil, err
	}
	options.Timeout = min(options.Timeout, keyringTimeout)
	r := &reader{profile: cache.FromConfig(cfg, p), keys: filepath.Join(cfg.Paths.CacheDir(), "keys"), need: cache.Need{MinTTL: l.minTTL}, query: l.sql != ""}
	key := func(record store.Record) string { return r.profile.Key(record, r.profile.Own(record)) }
	r.store = store.New(cfg.Paths.StateDir, store.WithKeyring(keyring.New(options)), store.OneToken(key))
	return r, nil
}

// stored returns the good stored token.
func (r *reader) stored() (provider.Token, error) {
	ctx := context.Background()
	record, err := r.store.LoadContext(ctx, r.profile.Name)
	if err != nil {
		return provider.Token{}, err
	}
	own, now := r.profile.Own(record), time.Now()
	state := r.profile.Breaker(record, now)
	if state.Because == breaker.Unavailable || r.query && (state.Open() || len(record.Refusals) > 0) {
		// A fallback issues the tokens, or a trial is due: a query would tell how that one
		// went.
		return provider.Token{}, errElse
	}
	verify := func(token provider.Token) (provider.Claims, error) {
		return cache.Verify(ctx, token, time.Now, func(url string) (jwks.Source, error) { return jwks.Disk{Dir: r.keys, URL: url}, nil })
	}
	token, err := r.profile.Token(record, own, r.need, cache.Clock{Now: now, Jitter: cache.Jitter}, verify)
	if errors.Is(err, cache.ErrNone) && !state.Open() && cache.AtStake(record, own) {
		r.renewal, err = r.profile.Renewal(own, r.need), errRenew
	}
	return token, err
}

// become runs the line as it was typed in another program, which lies beside zen. It
// only returns where that failed.
func become(program string, args []string) error {
	path, err := beside(program)
	if err != nil {
		return err
	}
	err = replace.Process(path, args, os.Environ())
	var load *replace.LoadError
	switch {
	case errors.As(err, &load):
		err = &provider.Error{Kind: provider.ErrConfig, Message: err.Error(), Hint: "build zen on this system (make build), or for it", Err: err}
	case errors.Is(err, os.ErrNotExist):
		err = &provider.Error{Kind: provider.ErrConfig, Message: "zen needs the program " + path, Hint: "make build puts it there; keep the two together", Err: err}
	}
	return err
}

// beside returns the path of a program of zen's.
func beside(program string) (string, error) {
	self, err := replace.Self()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", program, err)
	}
	return filepath.Join(filepath.Dir(self), program+filepath.Ext(self)), nil
}
