package clerk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// Lists are read whole, page by page, in either of the two forms that Clerk answers in. A
// list that is shorter than its announced total ends at the first page that isn't full.
func TestListsAreWhole(t *testing.T) {
	for name, tt := range map[string]struct {
		total, claimed int
		plain          bool
		want           int
	}{
		"none":                 {0, 0, false, 0},
		"one page":             {3, 3, false, 3},
		"three pages":          {2*pageSize + 1, 2*pageSize + 1, false, 2*pageSize + 1},
		"fewer than announced": {3, 300, false, 3},
		"a plain list":         {pageSize + 2, 0, true, pageSize + 2},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				if q.Get("_clerk_session_id") != "sess_1" || q.Get("_is_native") != "1" || r.Method != http.MethodGet {
					t.Errorf("the request was %s %s", r.Method, r.URL)
				}
				offset, _ := strconv.Atoi(q.Get("offset"))
				limit, _ := strconv.Atoi(q.Get("limit"))
				page := []map[string]any{}
				for i := offset; i < min(offset+limit, tt.total); i++ {
					page = append(page, map[string]any{"role": "org:member", "public_user_data": map[string]any{"user_id": fmt.Sprint("user_", i)}})
				}
				response := any(page)
				if !tt.plain {
					response = map[string]any{"data": page, "total_count": tt.claimed}
				}
				w.Header().Set("Authorization", fmt.Sprint("client-", offset))
				_ = json.NewEncoder(w).Encode(map[string]any{"response": response, "client": nil})
			}))
			defer server.Close()
			f := NewFrontend(Instance{URL: server.URL}, server.Client(), "test")
			s := &Session{ID: "sess_1", Client: provider.NewSecret("client")}
			members, err := f.Members(t.Context(), s, "org_1")
			if err != nil || len(members) != tt.want {
				t.Fatalf("Members returned %d members, %v, want %d", len(members), err, tt.want)
			}
			for i, m := range members {
				if m.UserID != fmt.Sprint("user_", i) {
					t.Fatalf("member %d is %s", i, m.UserID)
				}
			}
			if s.Client.Reveal() == "client" {
				t.Error("the client JWT was not replaced")
			}
		})
	}
}
