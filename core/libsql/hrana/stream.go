package hrana

import (
	"fmt"
	"slices"
)

// stream is a SQLite connection on the server that outlives a request: a
// transaction's. The next request on it must show the baton of the last.
type stream struct {
	baton    string
	base     endpoints
	mode     TxMode
	readOnly bool
	raw      bool  // begun by a BEGIN or SAVEPOINT statement, not by BeginTx
	begun    bool  // BEGIN was sent
	lost     error // why the stream can't be used any more
}

// program makes a batch of statements for the stream, nil meaning autocommit, and reports
// at which step they begin. A stream that is new has the settings made first. Each step
// runs only if the one before succeeded. In a transaction none runs outside of it: BEGIN
// travels as step 0 of the first batch, and later ones check that the server still has it
// open (which Hrana 2 can't).
func (st *stream) program(stmts []step, version int32, settings []step) (steps []step, first int) {
	guard := ""
	switch {
	case st == nil || st.raw && !st.begun:
		if len(settings) > 0 {
			stmts, first = append(slices.Clone(settings), stmts...), len(settings)
		}
	case st.raw:
		if version == 3 { // what ends it may be among the statements, too
			stmts[0].condition = inTransaction
		}
		for i := 1; i < len(stmts); i++ {
			stmts[i].condition = ok(i - 1)
		}
		return stmts, 0
	case !st.begun:
		stmts = append(append(slices.Clone(settings), step{sql: st.mode.begin()}), stmts...)
		first = len(settings) + 1
	case version == 3:
		guard = inTransaction
	}
	for i := range stmts {
		switch {
		case i == 0:
			stmts[i].condition = guard
		case guard == "":
			stmts[i].condition = ok(i - 1)
		default:
			stmts[i].condition = and(ok(i-1), guard)
		}
	}
	return stmts, first
}

// use takes over what an answer says about the stream.
func (st *stream) use(baton, baseURL string) error {
	if baton == "" {
		return protocolError("the server closed the stream of an open transaction")
	}
	st.baton = baton
	var err error
	st.base, err = st.base.follow(baseURL)
	return err
}

// unusable reports why no statement can run on the stream, if that is so.
func (st *stream) unusable() error {
	if st == nil || st.lost == nil {
		return nil
	}
	return fmt.Errorf("%w; the transaction was lost by that", st.lost)
}
