package provider_test

import (
	"reflect"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func permissions(t *testing.T, texts ...string) (list []provider.Permission) {
	t.Helper()
	for _, text := range texts {
		p, err := provider.ParsePermission(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestNarrow(t *testing.T) {
	for name, test := range map[string]struct {
		a, b, want []string
		none       bool
	}{
		"no limits":                {},
		"one limit":                {a: []string{"all:data_read"}, want: []string{"all:data_read"}},
		"the other limit":          {b: []string{"notes:data_read"}, want: []string{"notes:data_read"}},
		"all tables and one":       {a: []string{"all:data_read,data_add"}, b: []string{"notes:data_read"}, want: []string{"notes:data_read"}},
		"one table and all tables": {a: []string{"notes:data_read,data_add"}, b: []string{"all:data_add"}, want: []string{"notes:data_add"}},
		"several limits on each side": {
			a:    []string{"notes:data_read", "users:data_add"},
			b:    []string{"all:data_read", "users:data_add,data_delete"},
			want: []string{"notes:data_read", "users:data_add"},
		},
		"other tables":  {a: []string{"notes:data_read"}, b: []string{"users:data_read"}, none: true},
		"other actions": {a: []string{"notes:data_read"}, b: []string{"notes:data_add"}, none: true},
	} {
		both, ok := provider.Narrow(permissions(t, test.a...), permissions(t, test.b...))
		if ok == test.none || !reflect.DeepEqual(both, permissions(t, test.want...)) {
			t.Errorf("%s: Narrow = %v, %v", name, both, ok)
		}
	}
	// A permission for no table grants nothing, and must not become one for every table.
	if both, ok := provider.Narrow([]provider.Permission{{Tables: []string{}, Actions: []provider.Action{"data_read"}}}, permissions(t, "all:data_read")); ok {
		t.Errorf("a permission for no table became %v", both)
	}
}
