package turso

import (
	"cmp"
	"errors"
	"net/http"
	"os"
	"strconv"

	"github.com/zen-auth/zen/devstack/engine"
)

type databaseJSON struct {
	Name             string   `json:"Name"`
	ID               string   `json:"DbId"`
	Hostname         string   `json:"Hostname"`
	BlockReads       bool     `json:"block_reads"`
	BlockWrites      bool     `json:"block_writes"`
	Regions          []string `json:"regions"`
	PrimaryRegion    string   `json:"primaryRegion"`
	Group            string   `json:"group"`
	DeleteProtection bool     `json:"delete_protection"`
	Parent           any      `json:"parent"`
	AllowAttach      bool     `json:"allow_attach"`
}

// region is the only one. The turso CLI speaks plain HTTP with a database in it.
const region = "local"

func (c *call) render(db *database) databaseJSON {
	return databaseJSON{
		Name: db.Name, ID: db.ID, Hostname: c.host + "/dbs/" + db.Path,
		BlockReads: db.Config.BlockReads, BlockWrites: db.Config.BlockWrites, DeleteProtection: db.Config.DeleteProtection,
		Regions: []string{region}, PrimaryRegion: region, Group: db.Group, AllowAttach: db.Config.AllowAttach, Parent: c.parent(db),
	}
}

// parent returns the database that another is a branch of, or nil.
func (c *call) parent(db *database) any {
	if db.Parent == "" {
		return nil
	}
	parent := map[string]any{"name": db.Parent}
	if p := c.org.Databases[db.Parent]; p != nil {
		parent["id"], parent["Name"], parent["DbId"] = p.ID, p.Name, p.ID
	}
	return parent
}

func (c *call) parentID(db *database) string {
	if p := c.org.Databases[db.Parent]; p != nil {
		return p.ID
	}
	return ""
}

// protected reports whether the database, or its group, is kept from being deleted.
func (d *database) protected() bool {
	return d.Config.DeleteProtection || d.org.Groups[d.Group].DeleteProtection
}

// listDatabases pages by name: the cursor is the last one of the page before.
func (s *Server) listDatabases(c *call) (any, error) {
	q := c.r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit <= 0 {
		limit = 1000
	}
	list := []databaseJSON{}
	var next *string
	for _, name := range sortedKeys(c.org.Databases) {
		db := c.org.Databases[name]
		if parent := q.Get("parent"); parent != "" && (db.Parent == "" || parent != db.Parent && parent != c.parentID(db)) {
			continue
		}
		if schema := q.Get("schema"); schema != "" {
			continue // there are no schema databases, so that none has one
		}
		if group := q.Get("group"); group != "" && group != db.Group || !c.token.sees(db.Group) || name <= q.Get("cursor") {
			continue
		}
		if len(list) == limit {
			next = &list[limit-1].Name
			break
		}
		list = append(list, c.render(db))
	}
	return map[string]any{"databases": list, "pagination": map[string]any{"next": next}}, nil
}

func (s *Server) getDatabase(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"database": c.render(db)}, nil
}

func (s *Server) newDatabase(c *call) (any, error) {
	var body struct {
		Name     string `json:"name"`
		Group    string `json:"group"`
		Location string `json:"location"`
		Seed     *seed  `json:"seed"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	// image and extensions have been without effect for long.
	if err := c.without("schema", "is_schema", "size_limit", "remote_encryption", "use_tursodb"); err != nil {
		return nil, err
	}
	if err := checkLocation(body.Location); err != nil {
		return nil, err
	}
	if body.Group == "" {
		body.Group = cmp.Or(c.token.Group, defaultGroup)
	}
	if _, err := c.groupNamed(body.Group); err != nil {
		return nil, err
	}
	fill, parent, err := c.checkSeed(s, body.Seed)
	if err != nil {
		return nil, err
	}
	db, err := s.createDatabase(c.org, body.Name, body.Group)
	switch {
	case errors.Is(err, ErrExists):
		return nil, &statusError{http.StatusConflict, "database with name [" + body.Name + "] already exists"}
	case err != nil:
		return nil, badRequest("%v", err)
	}
	if fill != nil {
		if err := fill(db); err != nil {
			return nil, errors.Join(err, s.destroy(db), s.save())
		}
	}
	if parent != nil {
		db.Parent = parent.Name
	}
	c.audit("db-create", map[string]any{"database": db.Name})
	if err := s.save(); err != nil {
		return nil, err
	}
	d := c.render(db)
	return map[string]any{"database": map[string]any{"DbId": d.ID, "Hostname": d.Hostname, "Name": d.Name}}, nil
}

func (s *Server) deleteDatabase(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	if db.protected() {
		return nil, errProtected
	}
	if err := s.destroy(db); err != nil {
		return nil, err
	}
	c.audit("db-delete", map[string]any{"database": db.Name})
	return map[string]any{"database": db.Name}, s.save()
}

var errProtected = &statusError{http.StatusBadRequest, "database is protected from being deleted"}

// destroy ends what is going on in the database and removes it.
func (s *Server) destroy(db *database) error {
	delete(db.org.Databases, db.Name)
	delete(s.paths, db.Path)
	s.hrana.Forget(db.Path)
	if err := db.close(); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-generations"} {
		if db.file != "" {
			_ = os.Remove(db.file + suffix) // all but the first need not exist
		}
	}
	return nil
}

// databaseConfig holds what can be changed about a database.
type databaseConfig struct {
	AllowAttach      bool `json:"allow_attach"`
	BlockReads       bool `json:"block_reads"`
	BlockWrites      bool `json:"block_writes"`
	DeleteProtection bool `json:"delete_protection"`
}

func (d *database) configJSON() any {
	return struct {
		SizeLimit string `json:"size_limit"`
		databaseConfig
		AllowedIPs    []string `json:"allowed_ips"`
		AllowedVPCIDs []string `json:"allowed_aws_vpc_ids"`
	}{"0", d.Config, []string{}, []string{}}
}

func (s *Server) configuration(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	return db.configJSON(), nil
}

// configure changes what the body names, and leaves the rest.
func (s *Server) configure(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	if err := c.without("size_limit", "allowed_ips", "allowed_aws_vpc_ids"); err != nil {
		return nil, err
	}
	before := db.Config.DeleteProtection
	if err := c.decode(&db.Config); err != nil {
		return nil, err
	}
	if after := db.Config.DeleteProtection; after != before {
		code := "db-unprotect"
		if after {
			code = "db-protect"
		}
		c.audit(code, map[string]any{"database": db.Name})
	}
	return db.configJSON(), s.save()
}

func (s *Server) instances(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"instances": []any{c.instanceOf(db)}}, nil
}

func (c *call) instanceOf(db *database) any {
	return map[string]any{"uuid": db.ID, "name": region, "type": "primary", "region": region, "hostname": c.render(db).Hostname}
}

func (s *Server) instance(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	if name := c.r.PathValue("instance"); name != region {
		return nil, notFound("could not find instance %s", name)
	}
	return map[string]any{"instance": c.instanceOf(db)}, nil
}

// wakeup has nothing to do: no database ever sleeps.
func (s *Server) wakeup(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"database": db.Name}, nil
}

// newDatabaseToken mints what `turso db tokens create` prints.
func (s *Server) newDatabaseToken(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	o, err := s.tokenOptions(c)
	if err != nil {
		return nil, err
	}
	c.audit("db-token-create", map[string]any{"database": db.Name})
	return map[string]any{"jwt": s.mintDatabaseToken(db, o)}, s.save()
}

// tokenOptions reads what a token is to allow from the query and the body.
func (s *Server) tokenOptions(c *call) (o TokenOptions, err error) {
	q := c.r.URL.Query()
	if o.Lifetime, err = parseExpiration(q.Get("expiration")); err != nil {
		return o, err
	}
	switch q.Get("authorization") {
	case "", "full-access":
	case "read-only":
		o.ReadOnly = true
	default:
		return o, badRequest("Invalid authorization")
	}
	var body struct {
		FineGrained []engine.Permission `json:"fine_grained_permissions"`
		Permissions struct {
			ReadAttach struct {
				Databases []string `json:"databases"`
			} `json:"read_attach"`
		} `json:"permissions"`
	}
	if err := c.decode(&body); err != nil {
		return o, err
	}
	o.Permissions = body.FineGrained
	for _, name := range body.Permissions.ReadAttach.Databases {
		db, err := c.database(name)
		if err != nil {
			return o, err
		}
		o.readAttach = append(o.readAttach, db.ID)
	}
	return o, nil
}

// rotateDatabase invalidates all tokens of the database.
func (s *Server) rotateDatabase(c *call) (any, error) {
	db, err := c.database(c.r.PathValue("db"))
	if err != nil {
		return nil, err
	}
	db.role = newRole(s.now().Unix())
	return struct{}{}, s.save()
}
