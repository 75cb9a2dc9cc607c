// Package install puts provider binaries into the provider directory, and takes
// them out: what is installed was checked against a sum, says itself that it is
// the provider of its name, replaces an older version at once or not at all, and
// leaves that behind for a rollback. It is pinned in the same step.
package install
