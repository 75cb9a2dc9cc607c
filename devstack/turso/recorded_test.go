package turso

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/devstack/fault"
)

// recorded is a request and libsql-server 0.24.33's response to it. The order of the
// cases matters: some create the tables of later ones.
type recorded struct {
	Name          string
	Method, Path  string
	Headers       map[string]string
	Authorization string
	Body          json.RawMessage
	Status        int
	ContentType   string `json:"content_type"`
	Allow         string
	Answer        string
	AnswerLength  int `json:"answer_length"`
}

// otherwise are the cases in which the stand-in's response differs, with the reasons.
var otherwise = map[string]string{
	"pragma database_list":   "the file is another one",
	"pragma compile_options": "the SQLite is another build",
	"random rowid":           "needs libSQL's engine: the error says that the stand-in lacks it",
	"alter column":           "",
}

// In its mode sqld the stand-in answers like a real libsql-server, except for batons,
// durations and frame numbers, which change from run to run.
func TestRecordedAnswers(t *testing.T) {
	f := newFixture(t, Options{})
	must(t, f.faults.Switch(fault.PlainSqld, true))
	valid := sign(f.state.DatabaseKey, jwt.MapClaims{"id": "app", "a": "rw"})
	f.compareRecorded(valid, sign(newKey(), jwt.MapClaims{"id": "app", "a": "rw"}), otherwise)
}

func (f *fixture) compareRecorded(valid, foreign string, otherwise map[string]string) {
	f.t.Helper()
	b, err := os.ReadFile("testdata/sqld-answers.json")
	must(f.t, err)
	var cases []recorded
	must(f.t, json.Unmarshal(b, &cases))
	alike := 0
	for _, c := range cases {
		diff := c.compare(f, valid, foreign)
		reason, known := otherwise[c.Name]
		switch {
		case diff == "":
			alike++
			if known {
				f.t.Errorf("%s: the response is the same now; remove the exception: %s", c.Name, reason)
			}
		case !known:
			f.t.Errorf("%s: (-recorded +here)\n%s", c.Name, diff)
		}
	}
	f.t.Logf("%d of %d recorded answers alike", alike, len(cases))
}

func (c *recorded) compare(f *fixture, valid, foreign string) string {
	f.t.Helper()
	body := string(c.Body)
	switch {
	case len(c.Body) > 0 && c.Body[0] == '"':
		must(f.t, json.Unmarshal(c.Body, &body))
	case c.Name == "big request 3MB":
		body = `{"requests": [{"type": "execute", "stmt": {"sql": "select length(?)", "args": [{"type": "text", "value": "` + strings.Repeat("x", 3_000_000) + `"}]}}]}`
	case body == "null":
		body = ""
	}
	req, err := http.NewRequestWithContext(f.t.Context(), c.Method, f.url+"/dbs/app"+c.Path, strings.NewReader(body))
	must(f.t, err)
	req.Header.Set("Content-Type", "application/json")
	for name, value := range c.Headers {
		req.Header.Set(name, value)
	}
	switch c.Authorization {
	case "none":
	case "valid":
		req.Header.Set("Authorization", "Bearer "+valid)
	case "Bearer <a token of another key>":
		req.Header.Set("Authorization", "Bearer "+foreign)
	default:
		req.Header.Set("Authorization", c.Authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	must(f.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(f.t, err)
	type outcome struct {
		Status             int
		ContentType, Allow string
		Answer             any
	}
	diff := cmp.Diff(
		outcome{c.Status, c.ContentType, c.Allow, lines(c.Answer)},
		outcome{resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Allow"), lines(string(answer))})
	var changed strings.Builder
	for line := range strings.Lines(diff) {
		if line[0] == '-' || line[0] == '+' {
			changed.WriteString(line)
		}
	}
	return changed.String()
}

// lines returns the documents of an answer, without what changes from run to run. What is
// no JSON stays as it is.
func lines(answer string) []any {
	var documents []any
	for line := range strings.Lines(answer) {
		var document any
		if json.Unmarshal([]byte(line), &document) != nil {
			return []any{answer}
		}
		documents = append(documents, settled(document))
	}
	return documents
}

func settled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			switch name {
			case "baton", "replication_index":
				if value != nil {
					v[name] = "one"
				}
			case "query_duration_ms":
				if _, ok := value.(float64); ok {
					v[name] = 0.0
				}
			default:
				v[name] = settled(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = settled(v[i])
		}
	}
	return v
}

// cloudOtherwise are the cases in which Turso Cloud was seen to answer something else
// than libsql-server, beside those above.
var cloudOtherwise = map[string]string{
	"no auth":        "401 with a text of Cloud's: empty JWT token",
	"empty bearer":   "401 with a text of Cloud's: empty JWT token",
	"garbage bearer": "400 JWT error: InvalidToken",
	"unsigned jwt":   "401 with a text of Cloud's: can't be decoded with any of the existing keys",
}

// Turso Cloud, the default, answers as libsql-server wherever it wasn't seen to do
// otherwise: to a token that it refuses.
func TestRecordedAnswersInCloudMode(t *testing.T) {
	f := newFixture(t, Options{})
	valid, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(t, err)
	known := maps.Clone(otherwise)
	maps.Copy(known, cloudOtherwise)
	f.compareRecorded(valid, sign(newKey(), jwt.MapClaims{"id": f.app.ID, "a": "rw"}), known)
}
