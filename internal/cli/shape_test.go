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

// addShape is: shape COMMAND [ARGUMENT...]. It adds the names and types of the document
// that the command prints to the file shapes.
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

// shape notes the type of everything in a document by its path. What is in an array has
// the path of the array with [].
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
