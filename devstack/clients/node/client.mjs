// Uses a database through @libsql/client as an application would and prints what
// it saw as JSON, for the Go test to judge.
const scheme = new URL(process.env.DB_URL).protocol === "ws:" ? "ws" : "http";
const { createClient } = await import(`@libsql/client/${scheme}`);

const client = createClient({
	url: process.env.DB_URL,
	authToken: process.env.DB_TOKEN,
	intMode: "bigint",
});
// JSON has neither big integers nor bytes.
const plain = (_, v) => (typeof v === "bigint" ? `${v}n` : v);
const row = (r) =>
	Object.values(r).map((v) => (v instanceof ArrayBuffer ? [...new Uint8Array(v)] : v));
const failure = (f) => f().then(() => "no error", (e) => ({ code: e.code, message: e.message }));

const seen = {};

await client.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, big INTEGER, f REAL, txt TEXT, bin BLOB, day DATE)");
const inserted = await client.execute({
	sql: "INSERT INTO note (big, f, txt, bin, day) VALUES (?, ?, ?, ?, ?)",
	args: [9223372036854775807n, 1.5, "nul \u0000 \"quote\" é 😀", new Uint8Array([0, 1, 255]), "2024-01-02"],
});
seen.insert = { affected: inserted.rowsAffected, id: inserted.lastInsertRowid };
await client.execute({
	sql: "INSERT INTO note (big, txt, bin) VALUES (:big, $txt, @bin)",
	args: { big: -9223372036854775808n, txt: "", bin: new Uint8Array([]) },
});
const all = await client.execute("SELECT * FROM note ORDER BY id");
seen.columns = all.columns;
seen.types = all.columnTypes;
seen.rows = all.rows.map(row);

const batch = await client.batch(
	[
		{ sql: "UPDATE note SET f = ? WHERE id = ?", args: [2.5, 1] },
		"SELECT f FROM note WHERE id = 1",
	],
	"write",
);
seen.batch = [batch[0].rowsAffected, batch[1].rows.map(row)];
seen.failedBatch = await failure(() =>
	client.batch(["DELETE FROM note", "INSERT INTO nowhere VALUES (1)"], "write"));

const tx = await client.transaction("write");
await tx.execute("DELETE FROM note WHERE id = 2");
seen.inTransaction = (await tx.execute("SELECT count(*) FROM note")).rows.map(row);
await tx.rollback();
const tx2 = await client.transaction("write");
await tx2.batch(["INSERT INTO note (txt) VALUES ('from a transaction')"]);
await tx2.commit();
seen.afterTransactions = (await client.execute("SELECT count(*) FROM note")).rows.map(row);

await client.executeMultiple("CREATE TABLE a (x); CREATE TABLE b (y); INSERT INTO a VALUES (1)");
await client.migrate(["ALTER TABLE a ADD COLUMN z", "INSERT INTO a VALUES (2, 3)"]);
seen.migrated = (await client.execute("SELECT * FROM a ORDER BY x")).rows.map(row);
seen.constraint = await failure(() => client.execute("INSERT INTO note (id) VALUES (1)"));
seen.syntax = await failure(() => client.execute("SELEC 1"));

const stranger = createClient({ url: process.env.DB_URL, authToken: process.env.BAD_TOKEN });
seen.unauthorized = await failure(() => stranger.execute("SELECT 1"));
const reader = createClient({ url: process.env.DB_URL, authToken: process.env.READ_TOKEN });
seen.readOnly = await failure(() => reader.execute("DELETE FROM note"));

for (const c of [client, stranger, reader]) c.close(); // a socket keeps the process
console.log(JSON.stringify(seen, plain));
