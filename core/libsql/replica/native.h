//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

#include <stdint.h>
#include <stdlib.h>

// What is used of SQLite's interface (https://sqlite.org/c3ref/intro.html), as the
// library of go-libsql has it. The symbols are weak, because the library is linked to
// the program by package go-libsql and not to this package alone.
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
typedef struct sqlite3_value sqlite3_value;
typedef struct sqlite3_mutex sqlite3_mutex;
int sqlite3_open_v2(const char *, sqlite3 **, int, const char *);
int sqlite3_close_v2(sqlite3 *);
int sqlite3_db_config(sqlite3 *, int, ...);
int sqlite3_extended_result_codes(sqlite3 *, int);
int sqlite3_key(sqlite3 *, const void *, int);
int sqlite3_busy_handler(sqlite3 *, int (*)(void *, int), void *);
int sqlite3_sleep(int);
void sqlite3_interrupt(sqlite3 *);
int sqlite3_is_interrupted(sqlite3 *);
const char *sqlite3_errmsg(sqlite3 *);
int sqlite3_get_autocommit(sqlite3 *);
const char *sqlite3_db_name(sqlite3 *, int);
int64_t sqlite3_last_insert_rowid(sqlite3 *);
int64_t sqlite3_changes64(sqlite3 *);
int64_t sqlite3_total_changes64(sqlite3 *);
int sqlite3_prepare_v3(sqlite3 *, const char *, int, unsigned int, sqlite3_stmt **, const char **);
int sqlite3_finalize(sqlite3_stmt *);
int sqlite3_reset(sqlite3_stmt *);
int sqlite3_clear_bindings(sqlite3_stmt *);
int sqlite3_step(sqlite3_stmt *);
int sqlite3_bind_parameter_count(sqlite3_stmt *);
const char *sqlite3_bind_parameter_name(sqlite3_stmt *, int);
int sqlite3_bind_null(sqlite3_stmt *, int);
int sqlite3_bind_int64(sqlite3_stmt *, int, int64_t);
int sqlite3_bind_double(sqlite3_stmt *, int, double);
int sqlite3_bind_text64(sqlite3_stmt *, int, const char *, uint64_t, void (*)(void *), unsigned char);
int sqlite3_bind_blob64(sqlite3_stmt *, int, const void *, uint64_t, void (*)(void *));
int sqlite3_bind_zeroblob(sqlite3_stmt *, int, int);
int sqlite3_column_count(sqlite3_stmt *);
const char *sqlite3_column_name(sqlite3_stmt *, int);
const char *sqlite3_column_decltype(sqlite3_stmt *, int);
sqlite3_value *sqlite3_column_value(sqlite3_stmt *, int);
int sqlite3_value_type(sqlite3_value *);
int64_t sqlite3_value_int64(sqlite3_value *);
double sqlite3_value_double(sqlite3_value *);
const unsigned char *sqlite3_value_text(sqlite3_value *);
const void *sqlite3_value_blob(sqlite3_value *);
int sqlite3_value_bytes(sqlite3_value *);
int sqlite3_stmt_status(sqlite3_stmt *, int, int);
int sqlite3_stmt_readonly(sqlite3_stmt *);
sqlite3_mutex *sqlite3_db_mutex(sqlite3 *);
void sqlite3_mutex_enter(sqlite3_mutex *);
void sqlite3_mutex_leave(sqlite3_mutex *);
int sqlite3_wal_checkpoint_v2(sqlite3 *, const char *, int, int *, int *);
// These are libSQL's own: frames of a log as they are, read/write transaction and all.
int libsql_wal_disable_checkpoint(sqlite3 *);
int libsql_wal_insert_begin(sqlite3 *);
int libsql_wal_insert_frame(sqlite3 *, unsigned int, void *, unsigned int, int *);
int libsql_wal_insert_end(sqlite3 *);
#pragma weak sqlite3_open_v2
#pragma weak sqlite3_close_v2
#pragma weak sqlite3_db_config
#pragma weak sqlite3_extended_result_codes
#pragma weak sqlite3_key
#pragma weak sqlite3_busy_handler
#pragma weak sqlite3_sleep
#pragma weak sqlite3_interrupt
#pragma weak sqlite3_is_interrupted
#pragma weak sqlite3_errmsg
#pragma weak sqlite3_get_autocommit
#pragma weak sqlite3_db_name
#pragma weak sqlite3_last_insert_rowid
#pragma weak sqlite3_changes64
#pragma weak sqlite3_total_changes64
#pragma weak sqlite3_prepare_v3
#pragma weak sqlite3_finalize
#pragma weak sqlite3_reset
#pragma weak sqlite3_clear_bindings
#pragma weak sqlite3_step
#pragma weak sqlite3_bind_parameter_count
#pragma weak sqlite3_bind_parameter_name
#pragma weak sqlite3_bind_null
#pragma weak sqlite3_bind_int64
#pragma weak sqlite3_bind_double
#pragma weak sqlite3_bind_text64
#pragma weak sqlite3_bind_blob64
#pragma weak sqlite3_bind_zeroblob
#pragma weak sqlite3_column_count
#pragma weak sqlite3_column_name
#pragma weak sqlite3_column_decltype
#pragma weak sqlite3_column_value
#pragma weak sqlite3_value_type
#pragma weak sqlite3_value_int64
#pragma weak sqlite3_value_double
#pragma weak sqlite3_value_text
#pragma weak sqlite3_value_blob
#pragma weak sqlite3_value_bytes
#pragma weak sqlite3_stmt_status
#pragma weak sqlite3_stmt_readonly
#pragma weak sqlite3_db_mutex
#pragma weak sqlite3_mutex_enter
#pragma weak sqlite3_mutex_leave
#pragma weak sqlite3_wal_checkpoint_v2
#pragma weak libsql_wal_disable_checkpoint
#pragma weak libsql_wal_insert_begin
#pragma weak libsql_wal_insert_frame
#pragma weak libsql_wal_insert_end

enum {
	NOMEM = 7, ROW = 100, DONE = 101,
	INTEGER = 1, FLOAT = 2, TEXT = 3, BLOB = 4,
	CHECKPOINT_TRUNCATE = 3,
	STATUS_REPREPARE = 5,
	CONFIG_NO_CHECKPOINT_ON_CLOSE = 1006, CONFIG_DQS_DML = 1013, CONFIG_DQS_DDL = 1014,
};

// zen_state is what is known of a connection without a call, which costs as much as a
// small statement, and how long it waits for a lock, without SQLite's own timeout, which
// an interrupt doesn't end.
typedef struct {
	sqlite3 *db;
	int64_t limit, began; // milliseconds
	int autocommit; // no transaction is open
	int attached; // there are databases besides the main and the temporary one
	int64_t id, changed; // of the last zen_run
} zen_state;

// zen_batch is where rows are put: many of them a call, because a call costs as much
// as a value.
typedef struct {
	unsigned char *data;
	size_t size, used, need;
	size_t ahead; // grow to this many bytes rather than leave rows, or 0
	int rows, max;
	int pending; // a row was stepped to and is not in data
	int compiled; // how often the statement was compiled anew
} zen_batch;

int zen_open(const char *path, int flags, int64_t wait, sqlite3 **db, zen_state **state);
int zen_prepare(sqlite3 *db, const char *sql, int n, sqlite3_stmt **stmt, int *tail);
int zen_bind_text(sqlite3_stmt *s, int i, const char *text, size_t n);
int zen_bind_blob(sqlite3_stmt *s, int i, const void *data, size_t n);
int zen_run(sqlite3_stmt *s, zen_state *state);
int zen_fetch(sqlite3_stmt *s, zen_batch *b, zen_state *state);
int zen_reset(sqlite3_stmt *s, int bound, zen_state *state);
int zen_keep_log(sqlite3 *db);
int zen_insert(sqlite3 *db, unsigned int number, unsigned char *frames, unsigned int count, unsigned int size, int *conflict);
