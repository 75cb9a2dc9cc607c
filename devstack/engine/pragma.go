package engine

import "strings"

type pragmaKind uint8

const (
	pragmaRefused pragmaKind = iota
	pragmaRead               // allowed to everyone
	pragmaWrite              // needs the right to write
)

// pragmas is the table of libsql-server/src/query_analysis.rs. A bare pragma is
// one that may be read but not set.
var pragmas = func() map[string]struct {
	kind pragmaKind
	bare bool
} {
	table := make(map[string]struct {
		kind pragmaKind
		bare bool
	})
	add := func(kind pragmaKind, bare bool, names string) {
		for name := range strings.FieldsSeq(names) {
			e := table[name]
			e.kind, e.bare = kind, bare
			table[name] = e
		}
	}
	add(pragmaRead, false, `table_list index_list table_info table_xinfo index_info index_xinfo
		pragma_list compile_options database_list function_list module_list encoding`)
	add(pragmaRead, true, `schema_version`)
	add(pragmaWrite, false, `defer_foreign_keys foreign_keys foreign_key_list foreign_key_check
		collation_list data_version freelist_count integrity_check legacy_file_format page_count
		quick_check stats user_version`)
	add(pragmaWrite, true, `analysis_limit application_id auto_vacuum automatic_index busy_timeout
		cache_size cache_spill cell_size_check checkpoint_fullfsync fullfsync hard_heap_limit
		journal_mode journal_size_limit legacy_alter_table locking_mode max_page_count mmap_size
		page_size query_only read_uncommitted recursive_triggers reverse_unordered_selects
		secure_delete soft_heap_limit synchronous temp_store threads trusted_schema
		wal_autocheckpoint`)
	return table
}()

// classifyPragma says who may run PRAGMA name, or PRAGMA name = arg.
func classifyPragma(name string, hasArg bool) pragmaKind {
	p := pragmas[strings.ToLower(name)]
	if p.bare && hasArg {
		return pragmaRefused
	}
	return p.kind
}
