package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// addShape is the command "shape COMMAND [ARGUMENT...]". It appends the names and types of
// the printed JSON document to the file shapes.
func addShape(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec(args[0], args[1:]...))
	var document any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &document))
	paths := make(map[string]string)
	shape("", document, paths)
	f, err := os.OpenFile(ts.MkAbs("shapes"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer f.Close()
	fmt.Fprintf(f, "# %s\n", strings.Join(args, " "))
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		fmt.Fprintf(f, "%s %s\n", strings.TrimPrefix(path, "."), paths[path])
	}
}

// shape records the type of each value in a document by its path. The elements of an array
// have the array's path with [].
func shape(path string, value any, paths map[string]string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inside := range value {
			shape(path+"."+name, inside, paths)
		}
	case []any:
		if len(value) == 0 {
			paths[path] = "array"
		}
		for _, inside := range value {
			shape(path+"[]", inside, paths)
		}
	default:
		name := strings.TrimSuffix(fmt.Sprintf("%T", value), "64")
		if !strings.Contains(paths[path], name) {
			paths[path] = strings.TrimPrefix(paths[path]+"|"+name, "|")
		}
	}
}
