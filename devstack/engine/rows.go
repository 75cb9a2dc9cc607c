package engine

import (
	"unsafe"

	lib "modernc.org/sqlite/lib"
)

// libSQL counts the rows that a statement read and wrote, which is what Turso bills by.
// SQLite doesn't, but what its program will do can be read off it: libSQL counts the
// steps of cursors, the seeks and the rewinds, and what is inserted into tables and
// indexes. Loops say how often they went round. What depends on a condition in the
// program, or is done by a trigger, is counted as if it happened once.

// counts holds what is known about a compiled program.
type counts struct {
	loops  []loop
	reads  []int // for each loop, and for none at the end, the instructions that read a row
	writes []int // likewise those that write one
	clears bool  // deletes all rows at once
}

// loop is one of the program, from the first instruction to the one that goes back.
type loop struct {
	first, last int32
	counter     int32 // of the statement, counts how often it went back; or one of those below
}

// Loops that no counter counts: over a virtual table, and over what is to be written.
const (
	perRow    = -1
	perChange = -2
)

// loopCounters are the counters of a statement that a loop can be given: those that
// SQLite increments for a step of a cursor, and the two that nothing else here uses.
var loopCounters = []int32{0, lib.SQLITE_STMTSTATUS_FULLSCAN_STEP, lib.SQLITE_STMTSTATUS_AUTOINDEX,
	lib.SQLITE_STMTSTATUS_FILTER_MISS, lib.SQLITE_STMTSTATUS_FILTER_HIT}

// Flags of instructions that write.
const (
	changes = 0x01 // OPFLAG_NCHANGE
	noop    = 0x40 // OPFLAG_ISNOOP
)

// count reads the program of a statement, and gives its loops counters of their own as
// far as there are enough.
func (s *stmt) count() (c counts) {
	if s.explain {
		return counts{reads: make([]int, 1), writes: make([]int, 1)}
	}
	v := (*lib.TVdbe)(pointer(s.handle))
	ops := unsafe.Slice((*lib.TVdbeOp)(pointer(v.FaOp)), int(v.FnOp))
	temporary, given := make(map[int32]bool), 0
	for i := range ops {
		op := &ops[i]
		switch op.Fopcode {
		case lib.OP_OpenEphemeral, lib.OP_OpenAutoindex, lib.OP_OpenDup, lib.OP_SorterOpen, lib.OP_OpenPseudo:
			temporary[op.Fp1] = true
		case lib.OP_Next, lib.OP_Prev, lib.OP_SorterNext:
			n := loopCounters[min(given, len(loopCounters)-1)]
			given++
			op.Fp5 = uint16(n)
			c.loops = append(c.loops, loop{op.Fp2, int32(i), n})
		case lib.OP_VNext:
			c.loops = append(c.loops, loop{op.Fp2, int32(i), perRow})
		case lib.OP_Goto:
			if op.Fp2 < int32(i) && op.Fp2 > 1 { // to 1 it begins
				c.loops = append(c.loops, loop{op.Fp2, int32(i), perChange})
			}
		}
	}
	c.reads, c.writes = make([]int, len(c.loops)+1), make([]int, len(c.loops)+1)
	moved := int32(-1) // register with the page that was moved to where a dropped one was
	for i := 0; i < len(ops); i++ {
		op := &ops[i]
		at := c.innermost(int32(i))
		switch op.Fopcode {
		case lib.OP_Destroy:
			moved = op.Fp2
		case lib.OP_IfNot:
			if op.Fp1 == moved { // nothing moves without auto_vacuum
				i = int(op.Fp2) - 1
			}
		case lib.OP_FkIfZero: // no foreign key is violated for the time being
			i = int(op.Fp2) - 1
		case lib.OP_Rewind, lib.OP_Sort, lib.OP_SorterSort, lib.OP_Last, lib.OP_SeekLT, lib.OP_SeekLE, lib.OP_SeekGE,
			lib.OP_SeekGT, lib.OP_NotExists, lib.OP_SeekRowid, lib.OP_VNext:
			c.reads[at]++
		case lib.OP_Insert:
			if op.Fp5&noop == 0 && !temporary[op.Fp1] {
				c.writes[at]++
			}
		case lib.OP_IdxInsert:
			if !temporary[op.Fp1] {
				c.writes[at]++
			}
		case lib.OP_Delete:
			if op.Fp2&changes != 0 && !temporary[op.Fp1] {
				c.writes[at]++
			}
		case lib.OP_VUpdate:
			c.writes[at]++
		case lib.OP_Clear:
			c.clears = c.clears || op.Fp3 != 0
		}
	}
	return c
}

// innermost returns the number of the smallest loop around an instruction.
func (c *counts) innermost(i int32) int {
	at := len(c.loops)
	for n, l := range c.loops {
		if l.first <= i && i <= l.last && (at == len(c.loops) || l.last-l.first < c.loops[at].last-c.loops[at].first) {
			at = n
		}
	}
	return at
}

// rows returns what a run of the statement read and wrote, if it yielded so many rows
// and changed so many.
func (s *stmt) rows(yielded, changed int64) (read, written int64) {
	c := &s.counts
	taken := make(map[int32]bool, len(c.loops))
	for n, l := range c.loops {
		var steps int64
		switch {
		case l.counter == perRow:
			steps = max(0, yielded-1)
		case l.counter == perChange:
			read += changed * int64(c.reads[n])
			continue
		case !taken[l.counter]:
			taken[l.counter] = true
			steps = int64(s.status(l.counter, 1))
			read += steps
		}
		rounds := steps
		if steps > 0 || yielded > 0 || changed > 0 {
			rounds++ // the first one needs no step
		}
		read += rounds * int64(c.reads[n])
		if !s.iud {
			written += rounds * int64(c.writes[n])
		}
	}
	read += int64(c.reads[len(c.loops)])
	switch {
	case s.iud && c.clears:
		written = changed
	case s.iud:
		for _, n := range c.writes {
			written += changed * int64(n)
		}
	default:
		written += int64(c.writes[len(c.loops)])
	}
	return read, written
}
