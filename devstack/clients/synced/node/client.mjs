// A client of Turso Sync that does what it is told: a line of JSON in for each thing to
// do, a line of JSON out for what came of it.
import { connect } from "@tursodatabase/sync";
import { createInterface } from "node:readline";

let db;
const todo = {
	open: async ({ path, url, token, poll, more }) => {
		// A token by a function is asked for with each request.
		db = await connect({ path, url, authToken: async () => token, longPollTimeoutMs: poll || undefined, clientName: "node", ...more });
	},
	run: async ({ sql, args }) => {
		if (args) await (await db.prepare(sql)).run(...args);
		else await db.exec(sql);
	},
	rows: async ({ sql }) => (await (await db.prepare(sql)).all()).map((row) => Object.values(row)),
	push: () => db.push(),
	pull: () => db.pull(),
	checkpoint: () => db.checkpoint(),
	close: () => db.close(),
};
for await (const line of createInterface({ input: process.stdin })) {
	const request = JSON.parse(line);
	try {
		console.log(JSON.stringify({ result: (await todo[request.do](request)) ?? null }));
	} catch (e) {
		console.log(JSON.stringify({ error: String(e?.message ?? e) }));
	}
}
