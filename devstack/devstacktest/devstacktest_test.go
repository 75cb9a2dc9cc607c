package devstacktest_test

import "testing"

// What an example prints is compared, and a test under -v prints: so the example of a test
// is run here.
func TestExample(t *testing.T) { expiry(t) }
