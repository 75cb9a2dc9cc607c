// Runs a workload through @libsql/client, as bench/measure does in Go, and prints how many
// milliseconds each run took: URL ID RUNS WORKLOAD, the token on standard input. Given URL
// and "script FILE" or "query SQL" it does that once, and prints the rows.
import { readFileSync } from "node:fs";
import { createClient } from "@libsql/client";

const [url, ...args] = process.argv.slice(2);
const db = createClient({ url, authToken: readFileSync(0, "utf8") });

async function workload(name) {
	await db.execute("DROP TABLE IF EXISTS bench");
	await db.execute("CREATE TABLE bench (id INTEGER PRIMARY KEY, name TEXT, price REAL)");
	await db.execute("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) INSERT INTO bench (name, price) SELECT 'thing ' || n, n / 2.0 FROM c");
	const many = "INSERT INTO bench (name, price) VALUES " + "(?, ?), ".repeat(999) + "(?, ?)";
	const values = Array.from({ length: 1000 }, (_, i) => [`thing ${i}`, i / 2]).flat();
	const run = {
		"SELECT 1": () => db.execute("SELECT 1"),
		"read 100 rows": async () => {
			const { rows } = await db.execute({ sql: "SELECT id, name, price FROM bench WHERE id <= ?", args: [100] });
			if (rows.length !== 100) throw new Error(`${rows.length} rows`);
		},
		insert: () => db.execute({ sql: "INSERT INTO bench (name, price) VALUES (?, ?)", args: ["thing", 1.5] }),
		"batch of 1000": () => db.execute({ sql: many, args: values }),
		"transaction of 10": async () => {
			const tx = await db.transaction("write");
			for (let i = 1; i <= 10; i++) await tx.execute({ sql: "UPDATE bench SET price = ? WHERE id = ?", args: [2.5, i] });
			await tx.commit();
		},
	}[name];
	if (!run) throw new Error(`no such workload: ${name}`);
	return run;
}

if (args[0] === "script") {
	await db.executeMultiple(readFileSync(args[1], "utf8"));
} else if (args[0] === "query") {
	for (const row of (await db.execute(args[1])).rows) console.log(Object.values(row).join("\t"));
} else {
	const [, runs, name] = args;
	const run = await workload(name);
	const times = [];
	const warm = Math.floor(runs / 10);
	for (let i = 0; i <= Number(runs) + warm; i++) {
		const began = performance.now();
		await run();
		if (i > warm) times.push(performance.now() - began);
	}
	console.log(JSON.stringify(times));
}
db.close();
