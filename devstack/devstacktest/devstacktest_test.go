package devstacktest_test

import "testing"

// An example's output is compared, and a test prints with -v, so the example of a test
// runs here.
func TestExample(t *testing.T) { expiry(t) }
