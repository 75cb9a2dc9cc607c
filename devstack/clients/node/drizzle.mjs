// Creates a schema through drizzle-orm and queries it, as an application would,
// and prints what it saw as JSON, for the Go test to judge.
import { createClient } from "@libsql/client/http";
import { count, eq, relations } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/http";
import { migrate } from "drizzle-orm/libsql/migrator";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const author = sqliteTable("author", {
	id: integer("id").primaryKey({ autoIncrement: true }),
	name: text("name").notNull().unique(),
});
const note = sqliteTable("note", {
	id: integer("id").primaryKey(),
	authorId: integer("author_id").notNull().references(() => author.id, { onDelete: "cascade" }),
	body: text("body").notNull().default(""),
	extra: text("extra", { mode: "json" }),
	written: integer("written", { mode: "timestamp" }),
});
const authorRelations = relations(author, ({ many }) => ({ notes: many(note) }));
const noteRelations = relations(note, ({ one }) => ({
	author: one(author, { fields: [note.authorId], references: [author.id] }),
}));

const client = createClient({ url: process.env.DB_URL, authToken: process.env.DB_TOKEN });
const db = drizzle({ client, schema: { author, note, authorRelations, noteRelations } });
const seen = {};

await migrate(db, { migrationsFolder: "migrations" });
await migrate(db, { migrationsFolder: "migrations" }); // does nothing
seen.returned = await db.insert(author).values([{ name: "Ada" }, { name: "Grace" }]).returning();
await db.insert(note).values([
	{ authorId: 1, body: "2024-01-02", extra: { tags: ["x", "é"] }, written: new Date(1700000000000) },
	{ authorId: 1 },
	{ authorId: 2, body: "third" },
]);
seen.joined = await db.select({ name: author.name, notes: count(note.id) })
	.from(author).leftJoin(note, eq(note.authorId, author.id)).groupBy(author.id);
seen.relational = await db.query.author.findMany({ with: { notes: { columns: { body: true, extra: true } } } });
seen.written = (await db.select().from(note).where(eq(note.id, 1)))[0].written.toISOString();
seen.failure = await db.transaction(async (tx) => {
	await tx.delete(note);
	await tx.insert(author).values({ name: "Ada" });
}).then(() => "no error", (e) => String((e.cause ?? e).message));
seen.updated = await db.transaction(async (tx) =>
	tx.update(note).set({ body: "changed" }).where(eq(note.id, 3)).returning({ id: note.id, body: note.body }));
seen.batch = await db.batch([
	db.delete(author).where(eq(author.name, "Grace")),
	db.select({ n: count() }).from(note),
]).then(([, rows]) => rows);

console.log(JSON.stringify(seen));
