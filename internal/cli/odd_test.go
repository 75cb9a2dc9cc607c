package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/turso"
	"github.com/zen-auth/zen/internal/testwait"
)

// oddToken creates a token that a sign-in has to refuse, or "good", which it accepts.
func oddToken(stack *devstack.Stack, kind string) (string, error) {
	now := time.Now()
	header := map[string]any{"kid": stack.Clerk.ID(), "typ": "JWT", "cat": "cl_B7d4PD222AAA"}
	claims := jwt.MapClaims{
		"iss": stack.Clerk.Issuer(), "sub": "user_37jAIdMFr4gzT466LyJEhpchQMa", "azp": "https://app.example",
		"iat": now.Unix(), "nbf": now.Add(-5 * time.Second).Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	template, err := stack.Turso.Template(devstack.Organization, devstack.Database, turso.TokenOptions{})
	if err != nil {
		return "", err
	}
	maps.Copy(claims, template)
	switch kind {
	case "good":
	case "expired":
		claims["iat"], claims["exp"] = now.Add(-time.Hour).Unix(), now.Add(-time.Minute).Unix()
	case "foreign":
		claims["iss"] = "https://clerk.other.example"
		return signed(jwt.SigningMethodRS256, header, claims, nil)
	case "forged":
		return signed(jwt.SigningMethodRS256, header, claims, nil)
	case "none":
		return signed(jwt.SigningMethodNone, header, claims, jwt.UnsafeAllowNoneSignatureType)
	case "hs256":
		der, err := x509.MarshalPKIXPublicKey(stack.Clerk.PublicKey())
		if err != nil {
			return "", err
		}
		return signed(jwt.SigningMethodHS256, header, claims, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	case "noclaims":
		for name := range template {
			delete(claims, name)
		}
	case "idtoken":
		claims["nonce"], claims["aud"] = "n-0S6_WzA2Mj", "client_1"
	case "atjwt":
		header["typ"] = "at+jwt"
		delete(header, "cat")
	case "otherdatabase":
		claims["id"] = "33057661-834e-4891-9b48-802d425d02b9"
	default:
		return "", fmt.Errorf("unknown kind of token %q", kind)
	}
	return stack.Clerk.Sign(header, claims)
}

// signed signs with a key other than the instance's: a new RSA key if key is nil.
func signed(method jwt.SigningMethod, header map[string]any, claims jwt.MapClaims, key any) (string, error) {
	if key == nil {
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return "", err
		}
		key = other
	}
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	return token.SignedString(key)
}

// deliver plays a browser that behaves unusually.
func deliver(what string, page *url.URL) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	page, err := openedPage(ctx, page)
	if err != nil {
		return err
	}
	callback, state := page.Query().Get("redirect_uri"), page.Query().Get("state")
	switch what {
	case "token": // the callback of the method redirect, with the token in DELIVERY
		return get(callback+"?"+url.Values{"state": {state}, "token": {os.Getenv("DELIVERY")}}.Encode(), 0)
	case "wrong-state": // a forged callback comes first
		if err := get(callback+"?state=0123456789abcdef0123456789abcdef&ticket=evil", http.StatusBadRequest); err != nil {
			return err
		}
		return browse.Visit(ctx, browse.Person{User: "alice"}, page.String(), os.Stderr)
	case "twice": // the callback is used again while the first request is still handled
		person := browse.Browser{Person: browse.Person{User: "alice"}, StopBeforeCallback: true}
		end, err := person.Visit(ctx, page.String())
		if err != nil {
			return err
		}
		if err := get(end.String(), http.StatusOK); err != nil {
			return err
		}
		if err := get(end.String(), http.StatusOK); err == nil {
			return fmt.Errorf("the callback worked twice")
		}
		fmt.Fprintln(os.Stderr, "the second callback was refused")
		return nil
	case "cancel":
		person := browse.Browser{Person: browse.Person{User: "alice"}, Cancel: true}
		_, err := person.Visit(ctx, page.String())
		return err
	case "look": // at the processes, in the middle of a sign-in
		if _, err := listChildren(os.Getppid()); err != nil {
			return err
		}
		return browse.Visit(ctx, browse.Person{User: "alice"}, page.String(), os.Stderr)
	case "interrupt", "kill": // interrupt zen as Ctrl-C does, or kill it, and record the provider's process
		pids, err := listChildren(os.Getppid())
		if err != nil {
			return err
		}
		if err := os.WriteFile("children", []byte(strings.Join(pids, "\n")), 0o600); err != nil {
			return err
		}
		parent, err := os.FindProcess(os.Getppid())
		if err != nil {
			return err
		}
		if what == "kill" {
			return parent.Kill()
		}
		return parent.Signal(os.Interrupt)
	}
	return fmt.Errorf("cannot deliver %q", what)
}

// openedPage returns the redirect target of the local address that zen opens in the browser.
func openedPage(ctx context.Context, address *url.URL) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		return nil, fmt.Errorf("%s answered %s", address, resp.Status)
	}
	return resp.Location()
}

// get sends a request and checks the status; 0 accepts any.
func get(address string, want int) error {
	resp, err := http.Get(address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if want != 0 && resp.StatusCode != want {
		return fmt.Errorf("got status %d, want %d", resp.StatusCode, want)
	}
	return nil
}

// listChildren prints the programs that a process has started, and returns the process ids of
// the providers and their watchers.
func listChildren(parent int) (children []string, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		// pid (comm) state ppid ...
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		fields := bytes.Fields(rest)
		if len(fields) < 2 || string(fields[1]) != strconv.Itoa(parent) {
			continue
		}
		command, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err != nil {
			continue
		}
		name := filepath.Base(string(bytes.Split(command, []byte{0})[0]))
		fmt.Fprintf(os.Stderr, "child: %s\n", name)
		if strings.HasPrefix(name, "zen-provider-") || name == "zen" {
			children = append(children, filepath.Base(filepath.Dir(path)))
		}
	}
	return children, nil
}

// wantGone checks that the processes in the file children have ended.
func wantGone(ts *testscript.TestScript, _ bool, _ []string) {
	pids := strings.Fields(ts.ReadFile("children"))
	if len(pids) == 0 {
		ts.Fatalf("no provider was running")
	}
	for _, pid := range pids {
		if err := testwait.Done(context.Background(), func() bool { return !running(pid) }); err != nil {
			ts.Fatalf("the end of process %s: %v", pid, err)
		}
	}
}

// running returns false for a zombie, too: a container may have no process that reaps it.
func running(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}
