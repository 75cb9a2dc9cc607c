package turso

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// Database is a database of an organization.
type Database struct {
	Name string
	// ID is the claim id of a token for the database.
	ID string `json:"DbId"`
	// Hostname is the host, with a port and a path at some servers:
	// libsql://HOSTNAME is the URL.
	Hostname      string
	Group         string
	PrimaryRegion string
	// Blocked* say that the plan or the owner stopped reads or writes.
	BlockedReads  bool `json:"block_reads"`
	BlockedWrites bool `json:"block_writes"`
	// Sleeping says that it is archived, until its group is awakened.
	Sleeping bool
}

// URL is libsql://HOSTNAME, or http:// for a server on this machine, which has no
// certificate.
func (d Database) URL() string {
	host, _, _ := strings.Cut(d.Hostname, "/")
	if u, err := url.Parse("//" + host); err == nil && provider.IsLoopback(u.Hostname()) {
		return "http://" + d.Hostname
	}
	return "libsql://" + d.Hostname
}

// DatabaseFilter narrows a list; its zero value does not.
type DatabaseFilter struct {
	Group  string
	Schema string
	Parent string
	// PageSize is the number of databases a request; 0 means 100.
	PageSize int
}

// maxPages bounds a list against a server whose pages never end.
const maxPages = 1000

// Databases lists the databases of an organization, page by page as it is ranged
// over. It stops at the first error.
func (c *Client) Databases(ctx context.Context, org string, filter DatabaseFilter) iter.Seq2[Database, error] {
	return func(yield func(Database, error) bool) {
		const op = "list databases"
		prefix, err := orgPath(op, org)
		if err != nil {
			yield(Database{}, err)
			return
		}
		query := filter.query()
		for range maxPages {
			var page struct {
				Databases  []Database
				Pagination struct{ Next string }
			}
			if err := c.do(ctx, call{op: op, method: http.MethodGet, path: prefix + "/databases?" + query.Encode()}, &page); err != nil {
				yield(Database{}, err)
				return
			}
			for _, d := range page.Databases {
				if !yield(d, nil) {
					return
				}
			}
			next := page.Pagination.Next
			if next == "" {
				return
			}
			if next == query.Get("cursor") {
				break
			}
			query.Set("cursor", next)
		}
		yield(Database{}, &Error{Op: op, Status: http.StatusOK, Message: "the list does not end"})
	}
}

func (f DatabaseFilter) query() url.Values {
	if f.PageSize <= 0 {
		f.PageSize = 100
	}
	query := url.Values{"limit": {strconv.Itoa(f.PageSize)}}
	for key, value := range map[string]string{"group": f.Group, "schema": f.Schema, "parent": f.Parent} {
		if value != "" {
			query.Set(key, value)
		}
	}
	return query
}

// Database returns one database; one that does not exist is an *Error with status
// 404.
func (c *Client) Database(ctx context.Context, org, name string) (Database, error) {
	const op = "get the database"
	path, err := databasePath(op, org, name)
	if err != nil {
		return Database{}, err
	}
	var answer struct{ Database Database }
	if err := c.do(ctx, call{op: op, method: http.MethodGet, path: path}, &answer); err != nil {
		return Database{}, err
	}
	if answer.Database.ID == "" || answer.Database.Hostname == "" {
		return Database{}, incomplete(op, "DbId or Hostname")
	}
	return answer.Database, nil
}

// DatabaseUsage returns what a database used.
func (c *Client) DatabaseUsage(ctx context.Context, org, name string) (Usage, error) {
	const op = "get the usage of the database"
	path, err := databasePath(op, org, name)
	if err != nil {
		return Usage{}, err
	}
	var answer struct{ Database struct{ Usage Usage } }
	err = c.do(ctx, call{op: op, method: http.MethodGet, path: path + "/usage"}, &answer)
	return answer.Database.Usage, err
}

// Configuration holds the limits and switches of a database.
type Configuration struct {
	// SizeLimit has the form "256mb"; "" and "0" mean no limit but the plan's.
	SizeLimit        string `json:"size_limit"`
	DeleteProtection bool   `json:"delete_protection"`
	// Allowed* are whose requests are answered; none are everybody's.
	AllowedIPs  []string `json:"allowed_ips"`
	AllowedVPCs []string `json:"allowed_aws_vpc_ids"`
}

// Configuration returns what a database is held to.
func (c *Client) Configuration(ctx context.Context, org, name string) (Configuration, error) {
	const op = "get the configuration of the database"
	path, err := databasePath(op, org, name)
	if err != nil {
		return Configuration{}, err
	}
	var answer Configuration
	err = c.do(ctx, call{op: op, method: http.MethodGet, path: path + "/configuration"}, &answer)
	return answer, err
}

func databasePath(op, org, name string) (string, error) {
	prefix, err := orgPath(op, org)
	if err != nil {
		return "", err
	}
	segment, err := escape(op, "database", name)
	return prefix + "/databases/" + segment, err
}
