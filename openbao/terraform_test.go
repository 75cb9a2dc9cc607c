package openbao_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// arguments are those of the Vault provider's resources that an example may have, by its
// documentation; true ones are required.
var arguments = map[string]map[string]bool{
	"vault_mount": {"path": true, "type": true, "description": false, "default_lease_ttl_seconds": false, "max_lease_ttl_seconds": false, "options": false},
	"vault_generic_endpoint": {
		"path": true, "data_json": true, "disable_read": false, "disable_delete": false, "ignore_absent_fields": false, "write_fields": false,
	},
	"vault_policy":           {"name": true, "policy": true},
	"vault_jwt_auth_backend": {"path": true, "type": false, "description": false, "oidc_discovery_url": false, "jwks_url": false, "bound_issuer": false, "default_role": false},
	"vault_jwt_auth_backend_role": {
		"backend": false, "role_name": true, "role_type": false, "user_claim": true, "bound_audiences": false, "bound_claims": false, "bound_subject": false,
		"claim_mappings": false, "expiration_leeway": false, "not_before_leeway": false, "clock_skew_leeway": false,
		"token_policies": false, "token_ttl": false, "token_max_ttl": false,
	},
}

// resource is an evaluated resource of a configuration.
type resource struct {
	kind, name string
	values     map[string]any
}

// terraform reads a configuration whose resources refer only to earlier ones.
func terraform(t *testing.T, text, dir string) []resource {
	t.Helper()
	file, problems := hclsyntax.ParseConfig([]byte(text), "docs/teams.md", hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	content, problems := file.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "resource", LabelNames: []string{"type", "name"}}}})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	known := map[string]map[string]cty.Value{}
	var all []resource
	for _, block := range content.Blocks {
		r := resource{block.Labels[0], block.Labels[1], map[string]any{}}
		scope := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: map[string]function.Function{
			"jsonencode": stdlib.JSONEncodeFunc, "file": fileIn(dir),
		}}
		for kind, named := range known {
			scope.Variables[kind] = cty.ObjectVal(named)
		}
		attributes, problems := block.Body.JustAttributes()
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		values := map[string]cty.Value{}
		for name, attribute := range attributes {
			value, problems := attribute.Expr.Value(scope)
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			values[name] = value
			encoded, err := ctyjson.Marshal(value, value.Type())
			if err != nil {
				t.Fatal(err)
			}
			var plain any
			if err := json.Unmarshal(encoded, &plain); err != nil {
				t.Fatal(err)
			}
			r.values[name] = plain
		}
		if known[r.kind] == nil {
			known[r.kind] = map[string]cty.Value{}
		}
		known[r.kind][r.name] = cty.ObjectVal(values)
		all = append(all, r)
	}
	return all
}

// fileIn returns an implementation of Terraform's function file.
func fileIn(dir string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			data, err := os.ReadFile(filepath.Join(dir, args[0].AsString()))
			return cty.StringVal(string(data)), err
		},
	})
}

// documentedTerraform returns the example of docs/teams.md, and the policy that it names.
func documentedTerraform(t *testing.T) (example, policy string) {
	t.Helper()
	for _, block := range codeBlock.FindAllStringSubmatch(readFile(t, "../docs/teams.md"), -1) {
		switch {
		case block[1] == "hcl" && strings.HasPrefix(block[2], "resource "):
			example = block[2]
		case block[1] == "hcl" && strings.HasPrefix(block[2], "path "):
			policy = block[2]
		}
	}
	if example == "" || policy == "" {
		t.Fatal("docs/teams.md has no example for Terraform, or no policy")
	}
	return example, policy
}

// TestDocumentedTerraform checks that the example uses resources and arguments of the
// Vault provider, and has all required ones.
func TestDocumentedTerraform(t *testing.T) {
	example, policy := documentedTerraform(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.hcl"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range terraform(t, example, dir) {
		has, ok := arguments[r.kind]
		if !ok {
			t.Errorf("%s is an unknown resource", r.kind)
		}
		for name := range r.values {
			if _, ok := has[name]; !ok {
				t.Errorf("%s has no argument %s", r.kind, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(has)) {
			if has[name] && r.values[name] == nil {
				t.Errorf("%s.%s lacks %s", r.kind, r.name, name)
			}
		}
	}
}

// applyTerraform does what the Vault provider does for the example.
func applyTerraform(t *testing.T, tm *team, dir string, here *strings.Replacer) {
	t.Helper()
	example, _ := documentedTerraform(t)
	for _, r := range terraform(t, here.Replace(example), dir) {
		text := func(name string) string { return fmt.Sprint(r.values[name]) }
		switch r.kind {
		case "vault_mount":
			tm.write("sys/mounts/"+text("path"), object{"type": r.values["type"]})
		case "vault_generic_endpoint":
			var data object
			if err := json.Unmarshal([]byte(text("data_json")), &data); err != nil {
				t.Fatal(err)
			}
			tm.write(text("path"), data)
			for name, value := range tm.read(text("path")) {
				// Every plan would try to remove what Terraform didn't write.
				if _, written := data[name]; !written && value != nil && r.values["ignore_absent_fields"] != true {
					t.Errorf("%s is read, and not in data_json: ignore_absent_fields is missing", name)
				}
			}
		case "vault_policy":
			if err := tm.Policy(t.Context(), text("name"), text("policy")); err != nil {
				t.Fatal(err)
			}
		case "vault_jwt_auth_backend":
			path := text("path")
			tm.write("sys/auth/"+path, object{"type": "jwt"})
			config := maps.Clone(r.values)
			delete(config, "path")
			tm.write("auth/"+path+"/config", config)
		case "vault_jwt_auth_backend_role":
			role := maps.Clone(r.values)
			delete(role, "backend")
			delete(role, "role_name")
			tm.write("auth/"+text("backend")+"/role/"+text("role_name"), role)
		}
	}
}
