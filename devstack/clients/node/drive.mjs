// Uses a database through one of Turso's or others' clients as an application would, and
// prints its version and what it saw as JSON, for the Go test to judge.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const [url, authToken, name, table] = [process.env.DB_URL, process.env.DB_TOKEN, process.argv[2], process.argv[3]];
const failure = (p) => p.then(() => "no error", (e) => String(e.message).includes("UNIQUE constraint failed") ? "unique" : `${e.code}: ${e.message}`);

// version is that of the package, whatever it exports.
function version(pkg) {
	let dir = dirname(createRequire(import.meta.url).resolve(pkg));
	for (;;) {
		try {
			const found = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
			if (found.name === pkg) return found.version;
		} catch {}
		if (dir === dirname(dir)) return "unknown";
		dir = dirname(dir);
	}
}

async function libsql(module) {
	const { createClient } = await import(module);
	const db = createClient({ url, authToken });
	await db.execute(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, body TEXT UNIQUE)`);
	await db.batch([{ sql: `INSERT INTO ${table} (body) VALUES (?)`, args: ["first"] }, `INSERT INTO ${table} (body) VALUES ('second')`], "write");
	const tx = await db.transaction("write");
	await tx.execute(`INSERT INTO ${table} (body) VALUES ('third')`);
	await tx.commit();
	const rolled = await db.transaction("write");
	await rolled.execute(`DELETE FROM ${table}`);
	await rolled.rollback();
	const unique = await failure(db.execute(`INSERT INTO ${table} (body) VALUES ('first')`));
	const rows = (await db.execute(`SELECT body FROM ${table} ORDER BY id`)).rows.map((r) => r.body);
	db.close();
	return { version: version("@libsql/client"), rows, unique };
}

async function serverless() {
	const { connect } = await import("@tursodatabase/serverless");
	const db = connect({ url, authToken });
	await db.exec(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, body TEXT UNIQUE)`);
	const insert = await db.prepare(`INSERT INTO ${table} (body) VALUES (?)`);
	await insert.run(["first"]);
	await db.batch([`INSERT INTO ${table} (body) VALUES ('second')`, `INSERT INTO ${table} (body) VALUES ('third')`]);
	const unique = await failure(insert.run(["first"]));
	const select = await db.prepare(`SELECT body FROM ${table} ORDER BY id`);
	const rows = (await select.all()).map((r) => r.body);
	await db.close?.();
	return { version: version("@tursodatabase/serverless"), rows, unique };
}

async function drizzle() {
	const { drizzle } = await import("drizzle-orm/libsql");
	const { sql, asc } = await import("drizzle-orm");
	const { integer, sqliteTable, text } = await import("drizzle-orm/sqlite-core");
	const db = drizzle({ connection: { url, authToken } });
	const note = sqliteTable(table, { id: integer().primaryKey(), body: text().unique() });
	await db.run(sql.raw(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, body TEXT UNIQUE)`));
	await db.batch([db.insert(note).values({ body: "first" }), db.insert(note).values({ body: "second" })]);
	await db.transaction((tx) => tx.insert(note).values({ body: "third" }));
	const unique = await db.insert(note).values({ body: "first" }).then(() => "no error", (e) => (String(e.cause?.message).includes("UNIQUE constraint failed") ? "unique" : String(e)));
	const rows = (await db.select().from(note).orderBy(asc(note.id))).map((n) => n.body);
	db.$client.close();
	return { version: version("drizzle-orm"), rows, unique };
}

async function kysely() {
	const { Kysely } = await import("kysely");
	const { LibsqlDialect } = await import("@libsql/kysely-libsql");
	const db = new Kysely({ dialect: new LibsqlDialect({ url, authToken }) });
	await db.schema.createTable(table).addColumn("id", "integer", (c) => c.primaryKey()).addColumn("body", "text", (c) => c.unique()).execute();
	await db.insertInto(table).values([{ body: "first" }, { body: "second" }]).execute();
	await db.transaction().execute((tx) => tx.insertInto(table).values({ body: "third" }).execute());
	const unique = await failure(db.insertInto(table).values({ body: "first" }).execute());
	const rows = (await db.selectFrom(table).select("body").orderBy("id").execute()).map((r) => r.body);
	await db.destroy();
	return { version: `${version("kysely")}, dialect ${version("@libsql/kysely-libsql")}`, rows, unique };
}

const clients = {
	"@libsql/client": () => libsql("@libsql/client"),
	"@libsql/client/http": () => libsql("@libsql/client/http"),
	"@libsql/client/web": () => libsql("@libsql/client/web"),
	"@tursodatabase/serverless": serverless,
	"drizzle-orm": drizzle,
	kysely,
};
console.log(JSON.stringify(await clients[name]()));
