package golibsql

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/netfault"
	"github.com/zen-auth/zen/devstack/turso"
)

// TestFaults checks go-libsql's errors for the faults: they are only text, and these
// texts have to be distinguished.
func TestFaults(t *testing.T) {
	s := start(t, turso.Options{})
	broken := httptest.NewServer(netfault.Handler(s.Server, s.Faults, 0))
	defer broken.Close()
	s.URL = broken.URL
	jwt, minted := s.JWT(t, turso.TokenOptions{}), mint(t, s, turso.TokenOptions{})
	r := newReplica(t, s, minted)
	r.exec("CREATE TABLE note (body TEXT)")

	query := func(token string) func() error {
		return func() error {
			var v any
			return remote(t, s, token).QueryRow("SELECT count(*) FROM note").Scan(&v)
		}
	}
	write := func() error { _, err := r.db.Exec("INSERT INTO note VALUES ('x')"); return err }
	sync := func() error { _, err := r.connector.Sync(); return err }
	transaction := func() error {
		tx, err := remote(t, s, minted).Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		_, err = tx.Exec("INSERT INTO note VALUES ('x')")
		return err
	}
	for _, tt := range []struct {
		fault string
		do    func() error
		want  string
	}{
		{fault.JWKSStuck, query(jwt), "can't be decoded with any of the existing keys"},
		{fault.TokenInvalidated, query(minted), "status=401 Unauthorized, body={\"error\":\"Unauthorized: `unauthorized access attempt on database: invalid JWT token: role was invalidated after token was issued`\"}"},
		{fault.TokenInvalidated, sync, "failed to pull frame: status=401 Unauthorized"},
		{fault.TokenInvalidated, write, "status=401 Unauthorized"},
		{fault.WritesBlocked, write, `message: "Operation was blocked: SQL write operations are forbidden (writes are blocked, do you need to upgrade your plan?)", code: "BLOCKED"`},
		{fault.ReadsBlocked, query(minted), "reads are blocked"},
		{fault.StreamExpired, transaction, `status=400 Bad Request, body={"message":"The stream has expired due to inactivity","code":"STREAM_EXPIRED"}`},
		{fault.StreamLost, transaction, `status=404 Not Found, body={"error":"stream not found: 0"}`},
		{fault.PlainSqld, query(jwt), "The JWT is invalid"},
		{fault.ReplicasBlocked, sync, "failed to pull frame: status=403 Forbidden"},
		{fault.BadGateway, query(minted), "status=502 Bad Gateway, body=upstream forward failed"},
		{fault.RateLimited, query(minted), "status=429 Too Many Requests"},
		{fault.RateLimited, sync, "failed to pull frame: status=429 Too Many Requests"},
		{fault.Cut, query(minted), "connection closed before message completed"},
		{fault.CutBody, query(minted), "error reading a body from connection"},
	} {
		must(t, s.Faults.Switch(tt.fault, true))
		if err := tt.do(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: do = %v, want %s", tt.fault, err, tt.want)
		}
		must(t, s.Faults.Switch(tt.fault, false))
		r.sync() // the replica still works
	}
	r.sees("afterwards", "SELECT integrity_check FROM pragma_integrity_check", "ok")
}

// A replica that was refused on opening, except with a 401, leaves files that make every
// later attempt fail.
func TestRefusedReplicaPoisonsItsFiles(t *testing.T) {
	s := start(t, turso.Options{})
	token := mint(t, s, turso.TokenOptions{})
	path := filepath.Join(t.TempDir(), "replica.db")
	must(t, s.Faults.Switch(fault.ReplicasBlocked, true))
	if _, err := openConnector(path, s.URL+"/dbs/app", token); err == nil || !strings.Contains(err.Error(), "Timeout performing handshake with primary") {
		t.Errorf("refused: %v", err)
	}
	must(t, s.Faults.Switch(fault.ReplicasBlocked, false))
	if _, err := openConnector(path, s.URL+"/dbs/app", token); err == nil || !strings.Contains(err.Error(), "db file exists but metadata file does not") {
		t.Errorf("afterwards: %v", err)
	}
	for _, suffix := range []string{"", "-client_wal_index"} {
		must(t, os.Remove(path+suffix))
	}
	r := openReplica(t, s, path, token)
	r.exec("CREATE TABLE note (body TEXT)")
}
