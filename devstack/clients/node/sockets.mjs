// Writes rows over several WebSockets at once, and says of each what became of it: one that
// the database has taken is "acked", one that it hasn't is "refused", and of one whose socket
// was cut while it was on its way nobody can say: "unknown". Lines on standard input tell it
// what to do beside that; each is answered by a line of JSON.
import { createInterface } from "node:readline";
import { createClient } from "@libsql/client/ws";
import { openWs, ResponseError } from "@libsql/hrana-client";
import { subprotocolsV3 } from "./node_modules/@libsql/hrana-client/lib-esm/ws/client.js";

const url = process.env.TURSO_DATABASE_URL.replace(/^http/, "ws");
const authToken = process.env.TURSO_AUTH_TOKEN;
const held = Number(process.argv[2]); // milliseconds for which some transactions are open
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const sockets = {
	hrana2: () => openWs(url, authToken),
	protobuf: () => openWs(url, authToken, 3),
	hrana3: () => {
		const before = [...subprotocolsV3];
		subprotocolsV3.delete("hrana3-protobuf"); // or no server would choose JSON
		const socket = openWs(url, authToken, 3);
		for (const [name, value] of before) subprotocolsV3.set(name, value);
		return socket;
	},
};

// A connection has execute, and transaction that returns one with commit and rollback.
function overStream(open) {
	const socket = open();
	const stream = socket.openStream();
	const execute = (sql, args = []) => stream.query([sql, args]);
	return {
		execute,
		transaction: async (mode) => {
			await execute(`BEGIN ${mode}`);
			return { execute, commit: () => execute("COMMIT"), rollback: () => execute("ROLLBACK") };
		},
		get closed() { return socket.closed; },
		close: () => socket.close(),
	};
}

function overClient() {
	const client = createClient({ url, authToken });
	return {
		execute: (sql, args = []) => client.execute({ sql, args }),
		transaction: async () => {
			const tx = await client.transaction("write");
			return { execute: (sql, args) => tx.execute({ sql, args }), commit: () => tx.commit(), rollback: () => tx.rollback() };
		},
		closed: false, // it connects again by itself
		close: () => client.close(),
	};
}

const writers = {
	client: overClient,
	...Object.fromEntries(Object.entries(sockets).map(([name, open]) => [name, () => overStream(open)])),
};

// isCut tells a socket that has ended from what the database has answered.
const isCut = (e) => !(e instanceof ResponseError || e.cause instanceof ResponseError);
// What is refused here is meant to be, or had to wait too long for another's transaction.
const isExpected = (e) => /CHECK constraint failed|database is locked|Transaction timed out/.test(e.message);

let ended = false;

async function write(name, connect) {
	const insert = "INSERT INTO ledger VALUES (?)";
	let db, n = 0;
	const row = () => `${name}-${++n}`;
	const tell = (what, ...ids) => { for (const id of ids) say({ what, id, writer: name }); };
	// attempt says what becomes of rows that one call decides.
	const attempt = async (ids, call, otherwise) => {
		try {
			await call();
			tell("acked", ...ids);
		} catch (e) {
			tell(isCut(e) ? otherwise : "refused", ...ids);
			if (!isExpected(e)) throw e;
		}
	};
	for (let round = 0; !ended; round++) {
		try {
			if (db === undefined || db.closed) db = connect();
			const single = row();
			await attempt([single], () => db.execute(insert, [single]), "unknown");
			const none = row(); // the table wants none of these
			await attempt([none], () => db.execute(insert, [`refused-${none}`]), "refused");

			const ids = [row(), row()];
			let tx, sent = false; // that is what decides
			try {
				tx = await db.transaction("IMMEDIATE");
				for (const id of ids) await tx.execute(insert, [id]);
				if (round % 20 === 10) await pause(held);
				if (round % 5 === 4) {
					await tx.rollback();
					tell("refused", ...ids);
					continue;
				}
				sent = true;
				await tx.commit();
				tell("acked", ...ids);
			} catch (e) {
				tell(sent && isCut(e) ? "unknown" : "refused", ...ids);
				if (!isExpected(e)) throw e;
				await tx?.rollback().catch(() => {}); // there may be none any more
			}
		} catch (e) {
			say({ what: isCut(e) ? "cut" : "failed", writer: name, message: e.message });
			await pause(50);
		}
		await pause(5);
	}
	db?.close();
}

const idle = {}, reading = {};
const commands = {
	// What lies idle, and what has a transaction open, for as long as nobody asks for it.
	async rest() {
		for (const [name, open] of Object.entries(sockets)) {
			idle[name] = overStream(open);
			await idle[name].execute("SELECT 1");
			reading[name] = await (reading[`${name}, its socket`] = overStream(open)).transaction("DEFERRED");
			reading[name].saw = (await reading[name].execute("SELECT count(*) FROM ledger")).rows[0][0];
		}
	},
	async wake() {
		for (const name of Object.keys(sockets)) {
			const id = `${name}-idle-${Date.now()}`;
			await idle[name].execute("INSERT INTO ledger VALUES (?)", [id]);
			say({ what: "acked", id, writer: `${name}, idle` });
			const sees = (await reading[name].execute("SELECT count(*) FROM ledger")).rows[0][0];
			await reading[name].rollback();
			if (sees !== reading[name].saw) throw new Error(`a transaction over ${name} saw ${reading[name].saw} rows, and then ${sees}`);
			idle[name].close();
			reading[`${name}, its socket`].close();
		}
	},
	// The token is about to end for good: what is in a transaction is told so.
	async stop() {
		ended = true;
		await Promise.all(writing);
		for (const [name, open] of Object.entries(sockets)) {
			const tx = await overStream(open).transaction("DEFERRED");
			const id = `${name}-stopped`;
			await tx.execute(name === "hrana2" ? "INSERT INTO ledger VALUES (?)" : "SELECT ?", [id]);
			say({ what: "refused", id, writer: name });
			reading[name] = tx;
		}
	},
	async last() {
		for (const name of Object.keys(sockets)) {
			for (let message = ""; message === ""; await pause(50)) {
				await reading[name].execute("SELECT 1").catch((e) => { message = String(e.cause?.message ?? e.message); });
				if (message !== "") say({ what: "closed", writer: name, message });
			}
		}
	},
};

const first = createClient({ url, authToken });
await first.execute("CREATE TABLE ledger (id TEXT CHECK (id NOT LIKE 'refused-%'))");
first.close();
const writing = Object.entries(writers).map(([name, connect]) => write(name, connect));
for await (const line of createInterface({ input: process.stdin })) {
	try {
		await commands[line]();
		say({ what: "done", id: line });
	} catch (e) {
		say({ what: "failed", writer: line, message: `${e.message}: ${e.cause?.message ?? ""}` });
		process.exit(1);
	}
}
process.exit(0);
