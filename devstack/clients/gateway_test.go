package clients_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/turso"
)

const throughGateway = `
import { createClient } from "@libsql/client/http";
const client = createClient({ url: process.env.TURSO_DATABASE_URL, authToken: process.env.TURSO_AUTH_TOKEN });
await client.execute("CREATE TABLE t (i INTEGER PRIMARY KEY)");
for (let i = 0; i < 300; i += 3) {
	await client.execute({ sql: "INSERT INTO t VALUES (?)", args: [i] });
	await client.batch([{ sql: "INSERT INTO t VALUES (?)", args: [i + 1] }], "write");
	const tx = await client.transaction("write");
	await tx.execute({ sql: "INSERT INTO t VALUES (?)", args: [i + 2] });
	await tx.commit();
}
const rows = await client.execute("SELECT count(*) AS n FROM t");
console.log(Number(rows.rows[0].n));
const stranger = createClient({ url: process.env.TURSO_DATABASE_URL, authToken: "another" });
console.log(await stranger.execute("SELECT 1").then(() => "no error", (e) => e.code + " " + e.message));
`

// @libsql/client, which has one token for its life, behind zen's gateway while the
// database sees another all the time.
func TestNodeClientBehindGateway(t *testing.T) {
	dir := npmCI(t)
	s := tursotest.New(t, turso.Options{})
	must(t, s.RegisterJWKS("acme", "clerk", s.Keys))
	gateway, session := s.Gateway(t, 50*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--input-type=module", "-e", throughGateway)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TURSO_DATABASE_URL="+gateway.URL(), "TURSO_AUTH_TOKEN="+gateway.Bearer().Reveal())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2 || lines[0] != "300" || !strings.HasPrefix(lines[1], "AUTH_JWT_INVALID") || !strings.Contains(lines[1], "takes its own bearer") {
		t.Errorf("%q", lines)
	}
	if session.Count() < 5 {
		t.Errorf("%d tokens", session.Count())
	}
}
