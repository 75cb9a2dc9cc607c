package plugin

// harden has nothing to do: crash dumps of user programs are off by default.
func harden() error { return nil }

func hardenHost() error { return nil }
