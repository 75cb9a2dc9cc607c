package turso

// quotas are the quotas of the starter plan.
var quotas = map[string]any{
	"rowsRead": 500_000_000, "rowsWritten": 10_000_000, "databases": 100, "bytesSynced": 3_000_000_000,
	"locations": 1, "storage": 5_000_000_000, "groups": 1,
}

func (s *Server) listPlans(*call) (any, error) {
	return map[string]any{"plans": []map[string]any{{"name": plan, "price": "0", "quotas": quotas}}}, nil
}

func (s *Server) subscription(*call) (any, error) {
	return map[string]any{"subscription": map[string]any{"plan": plan, "timeline": "monthly", "overages": false}}, nil
}

// listInvoices answers that there are none: nothing costs anything.
func (s *Server) listInvoices(*call) (any, error) { return map[string]any{"invoices": []any{}}, nil }

type usageJSON struct {
	RowsRead     int64 `json:"rows_read"`
	RowsWritten  int64 `json:"rows_written"`
	StorageBytes int64 `json:"storage_bytes"`
	BytesSynced  int64 `json:"bytes_synced"`
}

func (d *database) usage() usageJSON {
	st := d.stats()
	return usageJSON{RowsRead: st.RowsRead, RowsWritten: st.RowsWritten, StorageBytes: st.StorageBytes, BytesSynced: st.BytesSynced}
}

// render has the figures twice: the CLI reads `usage`, the documentation says
// `total`.
func (u usageJSON) render(id string) map[string]any {
	return map[string]any{"uuid": id, "instances": []any{}, "usage": u, "total": u}
}

func (s *Server) databaseUsage(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	if err := withoutQuery(c.r.URL.Query(), "from", "to"); err != nil {
		return nil, err
	}
	return map[string]any{"database": db.usage().render(db.ID)}, nil
}

type queryJSON struct {
	Query       string `json:"query"`
	RowsRead    int64  `json:"rows_read"`
	RowsWritten int64  `json:"rows_written"`
}

// queries returns the statements that read and wrote most since the start.
func (d *database) queries() []queryJSON {
	list := []queryJSON{}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.db == nil {
		return list
	}
	for _, q := range d.db.TopQueries(100) {
		list = append(list, queryJSON{q.SQL, q.RowsRead, q.RowsWritten})
	}
	return list
}

func (s *Server) databaseStats(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"top_queries": db.queries()}, nil
}

// databaseQueries returns the turso CLI's answer, with the last day.
func (s *Server) databaseQueries(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	return db.queries(), nil
}

func (s *Server) organizationUsage(c *call) (any, error) {
	var total struct {
		usageJSON
		Databases int `json:"databases"`
		Locations int `json:"locations"`
		Groups    int `json:"groups"`
	}
	total.Databases, total.Locations, total.Groups = len(c.org.Databases), 1, len(c.org.Groups) // whatever the token sees
	databases := []any{}
	for _, name := range sortedKeys(c.org.Databases) {
		db := c.org.Databases[name]
		u := db.usage()
		total.RowsRead += u.RowsRead
		total.RowsWritten += u.RowsWritten
		total.StorageBytes += u.StorageBytes
		total.BytesSynced += u.BytesSynced
		databases = append(databases, u.render(db.ID))
	}
	return map[string]any{"organization": map[string]any{"uuid": c.org.ID, "usage": total, "databases": databases}}, nil
}
