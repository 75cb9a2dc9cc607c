// Uses a database through Prisma and its driver adapter, and prints what it saw as JSON.
import { createRequire } from "node:module";
import { PrismaClient } from "@prisma/client";
import { PrismaLibSql } from "@prisma/adapter-libsql";

const adapter = new PrismaLibSql({ url: process.env.DB_URL, authToken: process.env.DB_TOKEN });
const db = new PrismaClient({ adapter });
await db.$executeRawUnsafe("DROP TABLE IF EXISTS prisma_note");
await db.$executeRawUnsafe("CREATE TABLE prisma_note (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL UNIQUE)");
await db.note.create({ data: { body: "first" } });
await db.$transaction([db.note.create({ data: { body: "second" } }), db.note.create({ data: { body: "third" } })]);
const unique = await db.note.create({ data: { body: "first" } }).then(() => "no error", (e) => (String(e.message).includes("UNIQUE constraint failed") ? "unique" : String(e)));
const rows = (await db.note.findMany({ orderBy: { id: "asc" } })).map((n) => n.body);
await db.$disconnect();
const version = createRequire(import.meta.url)("@prisma/client/package.json").version;
console.log(JSON.stringify({ version, rows, unique }));
