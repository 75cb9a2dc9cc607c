package turso

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// auditEntry is one of an organization's log.
type auditEntry struct {
	Code      string         `json:"code"`
	Message   string         `json:"message"`
	Origin    string         `json:"origin"`
	Author    string         `json:"author"`
	CreatedAt string         `json:"created_at"`
	Data      map[string]any `json:"data"`
}

// maxAudit bounds the log.
const maxAudit = 1000

// audit notes what the call did. The handler saves it.
func (c *call) audit(code string, data map[string]any) {
	origin := "web"
	if strings.HasPrefix(c.r.UserAgent(), "turso-cli") {
		origin = "cli"
	}
	if len(c.org.Audit) >= maxAudit {
		c.org.Audit = slices.Delete(c.org.Audit, 0, 1)
	}
	c.org.Audit = append(c.org.Audit, auditEntry{
		Code: code, Origin: origin, Author: c.user.Name, CreatedAt: c.now.UTC().Format(time.RFC3339), Data: data,
	})
}

// listAudit pages from the newest entry on.
func (s *Server) listAudit(c *call) (any, error) {
	q := c.r.URL.Query()
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(q.Get(name)); err == nil && n > 0 {
			return n
		}
		return otherwise
	}
	size, page := min(number("page_size", 100), 1000), number("page", 1)
	all := slices.Clone(c.org.Audit)
	slices.Reverse(all)
	from := min((page-1)*size, len(all))
	list := append([]auditEntry{}, all[from:min(from+size, len(all))]...)
	return map[string]any{
		"audit_logs": list,
		"pagination": map[string]int{"page": page, "page_size": size, "total_pages": (len(all) + size - 1) / size, "total_rows": len(all)},
	}, nil
}
