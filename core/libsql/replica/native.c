//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

#include <string.h>
#include <time.h>
#include "native.h"

static int64_t zen_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int zen_busy(void *p, int count) {
	zen_state *w = p;
	if (count == 0) w->began = zen_now();
	if (sqlite3_is_interrupted(w->db) || zen_now() - w->began >= w->limit) return 0;
	sqlite3_sleep(count < 5 ? 1 : count < 20 ? 5 : 20);
	return 1;
}

int zen_open(const char *path, int flags, int64_t wait, sqlite3 **db, zen_state **state) {
	int rc = sqlite3_open_v2(path, db, flags, NULL);
	if (rc != 0) return rc;
	sqlite3_extended_result_codes(*db, 1);
	sqlite3_db_config(*db, CONFIG_NO_CHECKPOINT_ON_CLOSE, (flags & 1), (int *)NULL);
	// libsql-server takes text in double quotes; the library was built not to.
	sqlite3_db_config(*db, CONFIG_DQS_DML, 1, (int *)NULL);
	sqlite3_db_config(*db, CONFIG_DQS_DDL, 1, (int *)NULL);
	*state = calloc(1, sizeof(zen_state));
	(*state)->db = *db;
	(*state)->limit = wait;
	(*state)->autocommit = 1;
	return sqlite3_busy_handler(*db, zen_busy, *state);
}

// zen_keep_log has the connection never copy the log to the file by itself.
int zen_keep_log(sqlite3 *db) {
	int rc = sqlite3_db_config(db, CONFIG_NO_CHECKPOINT_ON_CLOSE, 1, (int *)NULL);
	return rc != 0 ? rc : libsql_wal_disable_checkpoint(db);
}

// zen_insert puts frames into the log, in a transaction that has begun.
int zen_insert(sqlite3 *db, unsigned int number, unsigned char *frames, unsigned int count, unsigned int size, int *conflict) {
	for (unsigned int i = 0; i < count; i++) {
		int rc = libsql_wal_insert_frame(db, number + i, frames + (size_t)i * size, size, conflict);
		if (rc != 0) return rc;
	}
	return 0;
}

int zen_prepare(sqlite3 *db, const char *sql, int n, sqlite3_stmt **stmt, int *tail) {
	const char *rest = sql;
	int rc = sqlite3_prepare_v3(db, sql, n, 0, stmt, &rest);
	*tail = (int)(rest - sql);
	return rc;
}

int zen_bind_text(sqlite3_stmt *s, int i, const char *text, size_t n) {
	return sqlite3_bind_text64(s, i, n ? text : "", n, (void (*)(void *))-1, 1);
}

int zen_bind_blob(sqlite3_stmt *s, int i, const void *data, size_t n) {
	if (n == 0) return sqlite3_bind_zeroblob(s, i, 0);
	return sqlite3_bind_blob64(s, i, data, n, (void (*)(void *))-1);
}

// zen_run steps to the end, and drops rows.
int zen_run(sqlite3_stmt *s, zen_state *state) {
	int64_t before = sqlite3_total_changes64(state->db);
	int rc;
	while ((rc = sqlite3_step(s)) == ROW) {}
	state->id = sqlite3_last_insert_rowid(state->db);
	// changes is of the last statement that could change rows: this one, if the total grew.
	state->changed = sqlite3_total_changes64(state->db) == before ? 0 : sqlite3_changes64(state->db);
	state->autocommit = sqlite3_get_autocommit(state->db);
	return rc;
}

// zen_reset makes the statement ready to run again, with nothing bound to it. A write of which
// not all rows were read is committed here, or can't be. After a step that failed, the error is
// that one's.
int zen_reset(sqlite3_stmt *s, int bound, zen_state *state) {
	int rc = sqlite3_reset(s);
	if (bound) sqlite3_clear_bindings(s);
	state->autocommit = sqlite3_get_autocommit(state->db);
	state->attached = sqlite3_db_name(state->db, 2) != NULL;
	return rc;
}

// zen_size returns the size of the row that was stepped to.
static size_t zen_size(sqlite3_stmt *s, int n) {
	size_t size = 9 * (size_t)n;
	for (int i = 0; i < n; i++) {
		sqlite3_value *v = sqlite3_column_value(s, i);
		switch (sqlite3_value_type(v)) {
		case TEXT: sqlite3_value_text(v); // fallthrough: now the bytes are UTF-8
		case BLOB: size += sqlite3_value_bytes(v);
		}
	}
	return size;
}

// zen_put puts the row that was stepped to behind the others. It returns 0, or ROW where the row
// has no room, or NOMEM.
static int zen_put(sqlite3_stmt *s, int n, zen_batch *b) {
	unsigned char *p = b->data + b->used, *end = b->data + b->size;
	for (int i = 0; i < n; i++) {
		sqlite3_value *v = sqlite3_column_value(s, i);
		int type = sqlite3_value_type(v);
		int64_t integer = 0;
		double real;
		const void *bytes = NULL;
		switch (type) {
		case INTEGER: integer = sqlite3_value_int64(v); break;
		case FLOAT: real = sqlite3_value_double(v); memcpy(&integer, &real, 8); break;
		case TEXT: bytes = sqlite3_value_text(v); integer = sqlite3_value_bytes(v); break;
		case BLOB: bytes = sqlite3_value_blob(v); integer = sqlite3_value_bytes(v); break;
		}
		// An empty blob is NULL, too.
		if (bytes == NULL && (type == TEXT || (type == BLOB && integer > 0))) return NOMEM;
		if (end - p < 9 + (bytes != NULL ? integer : 0)) return ROW;
		*p++ = type;
		memcpy(p, &integer, 8);
		p += 8;
		if (bytes != NULL) {
			memcpy(p, bytes, integer);
			p += integer;
		}
	}
	b->used = p - b->data;
	return 0;
}

// zen_fetch_held is zen_fetch, with the connection's mutex held.
static int zen_fetch_held(sqlite3_stmt *s, zen_batch *b) {
	b->used = b->need = 0;
	for (b->rows = 0; b->rows < b->max || b->ahead > 0; b->rows++) {
		if (!b->pending) {
			int rc = sqlite3_step(s);
			if (rc != ROW) return rc;
			b->pending = 1;
		}
		int n = sqlite3_column_count(s); // the first step may have compiled it anew
		int rc;
		while ((rc = zen_put(s, n, b)) != 0) {
			if (rc == NOMEM) return rc;
			size_t size = zen_size(s, n), larger = 2 * (b->used + size);
			unsigned char *p;
			if (larger > b->ahead || (p = realloc(b->data, larger)) == NULL) {
				if (b->rows == 0) b->need = size;
				return ROW;
			}
			b->data = p;
			b->size = larger;
		}
		b->pending = 0;
	}
	return ROW;
}

// zen_fetch steps and puts each value as its type and eight bytes, which are the
// length of a text or blob that follows. ROW is for more rows. The connection's mutex is
// held for all of them: sqlite3_column_* would take it for each value, which costs more
// than the value does.
int zen_fetch(sqlite3_stmt *s, zen_batch *b, zen_state *state) {
	sqlite3_mutex *mutex = sqlite3_db_mutex(state->db);
	sqlite3_mutex_enter(mutex);
	int rc = zen_fetch_held(s, b);
	b->compiled = sqlite3_stmt_status(s, STATUS_REPREPARE, 0);
	state->autocommit = sqlite3_get_autocommit(state->db);
	sqlite3_mutex_leave(mutex);
	return rc;
}
