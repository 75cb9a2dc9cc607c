// Writes through @libsql/client for as many seconds as it is told, with one client
// for all of them, and prints how many rows it wrote. The first statement that fails
// ends it.
import { createClient } from "@libsql/client/http";

const url = process.env.TURSO_DATABASE_URL;
const client = createClient({ url, authToken: process.env.TURSO_AUTH_TOKEN });
const end = Date.now() + 1000 * process.argv[2];
const sql = "INSERT INTO t VALUES (?)";

await client.execute("CREATE TABLE t (i INTEGER PRIMARY KEY)");
let i = 0;
while (Date.now() < end) {
	await client.execute({ sql, args: [i++] });
	await client.batch([{ sql, args: [i++] }], "write");
	const tx = await client.transaction("write");
	await tx.execute({ sql, args: [i++] });
	await tx.commit();
	await new Promise((resolve) => setTimeout(resolve, 5));
}
console.log(i);
const stranger = createClient({ url, authToken: "another" });
console.log(await stranger.execute("SELECT 1").then(() => "no error", (e) => e.message));
