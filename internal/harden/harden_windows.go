package harden

// itself has nothing to do: crash dumps of user programs are off by default.
func itself() error { return nil }

func host() error { return nil }
