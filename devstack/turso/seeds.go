package turso

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/zen-auth/zen/devstack/engine"
)

// seed is the initial content of a new database.
type seed struct {
	Type      string `json:"type"`
	Name      string `json:"name"`
	Value     string `json:"value"` // what the turso CLI calls the name
	URL       string `json:"url"`
	Timestamp string `json:"timestamp"`
}

// check finds out what a seed stands for, before anything is made.
func (c *call) checkSeed(s *Server, sd *seed) (fill func(*database) error, parent *database, err error) {
	switch {
	case sd == nil || sd.Type == "":
		return nil, nil, nil
	case sd.Timestamp != "":
		return nil, nil, lacking("recovery to a point in time")
	}
	switch sd.Type {
	case "database":
		name := sd.Name
		name = cmp.Or(name, sd.Value)
		source, err := c.database(name)
		if err != nil {
			return nil, nil, err
		}
		return func(db *database) error { return db.copyFrom(c.r.Context(), source) }, source, nil
	case "dump":
		_, id, ok := strings.Cut(sd.URL, dumpPath)
		if !ok {
			return nil, nil, lacking("fetching a dump from elsewhere: upload it")
		}
		dump, ok := s.dumps[id]
		if !ok {
			return nil, nil, badRequest("The passed dump file path doesn't exist")
		}
		return func(db *database) error { return db.load(c.r.Context(), dump) }, nil, nil
	case "database_upload":
		return nil, nil, lacking("uploads of database files, which go to a database by https: upload a dump")
	}
	return nil, nil, badRequest("invalid seed type: %s", sd.Type)
}

func (d *database) copyFrom(ctx context.Context, source *database) error {
	from, err := source.open()
	if err != nil {
		return err
	}
	to, err := d.open()
	if err != nil {
		return err
	}
	return to.Copy(ctx, from)
}

// load fills the database with a dump. What is wrong with the dump is the client's.
func (d *database) load(ctx context.Context, dump string) error {
	db, err := d.open()
	if err != nil {
		return err
	}
	err = db.Load(ctx, dump)
	var sqlite *engine.Error
	switch {
	case errors.As(err, &sqlite):
		return badRequest("The passed dump sql is invalid: %s", sqlite.Message)
	case errors.Is(err, engine.ErrNoTransaction), errors.Is(err, engine.ErrNoCommit):
		return badRequest("%v", err)
	}
	return err
}

// dumpPath returns the path of an uploaded dump, for a seed to name it.
const dumpPath = "/dumps/"

// maxDumps bounds the dumps that were uploaded and are kept, in memory.
const maxDumps = 8

// uploadDump keeps a dump for the database that is made of it next.
func (s *Server) uploadDump(c *call) (any, error) {
	dump, err := c.file()
	if err != nil {
		return nil, err
	}
	if s.dumps == nil || len(s.dumps) >= maxDumps {
		s.dumps = make(map[string]string)
	}
	id := uuid.NewString()
	s.dumps[id] = dump
	return map[string]any{"dump_url": "http://" + c.host + dumpPath + id}, nil
}

// file returns what a form uploads as file.
func (c *call) file() (string, error) {
	_, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return "", errInvalidBody
	}
	form := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return "", errInvalidBody
		}
		if part.FormName() != "file" {
			continue
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return "", errInvalidBody
		}
		return string(b), nil
	}
}

// maxUpload bounds an uploaded dump, in bytes.
const maxUpload = 256 << 20

// bodyLimit limits the size of a request's body.
func bodyLimit(r *http.Request) int64 {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/databases/dumps") {
		return maxUpload
	}
	return maxAPIBody
}
