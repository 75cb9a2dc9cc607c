package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// libSQL's vectors of 32-bit and 64-bit floats, which are blobs: the numbers, little
// endian, and after those of 64 bits a byte that says so. Indexes of them, and the
// smaller formats, are lacking (libsql-sqlite3/src/vector.c in tursodatabase/libsql).

func init() {
	functions = append(functions,
		function{"vector", 1, funcPointer(vector32Function)}, function{"vector32", 1, funcPointer(vector32Function)},
		function{"vector64", 1, funcPointer(vector64Function)}, function{"vector_extract", 1, funcPointer(extractFunction)},
		function{"vector_distance_cos", 2, funcPointer(cosineFunction)}, function{"vector_distance_l2", 2, funcPointer(euclidFunction)})
}

// vector holds numbers as they are computed with: those of 32 bits are exact in 64.
type vector struct {
	wide     bool
	elements []float64
}

const (
	wideType = 2 // VECTOR_TYPE_FLOAT64
	longest  = 65536
)

// parseVector reads a vector, from text of the width that is wanted.
func parseVector(tls *libc.TLS, value uintptr, wide bool) (vector, error) {
	n := int(lib.Xsqlite3_value_bytes(tls, value))
	switch kind := lib.Xsqlite3_value_type(tls, value); kind {
	case lib.SQLITE_BLOB:
		return vectorOfBlob(view(lib.Xsqlite3_value_blob(tls, value), n))
	case lib.SQLITE_TEXT:
		return vectorOfText(string(view(lib.Xsqlite3_value_text(tls, value), n)), wide)
	default:
		name := map[int32]string{lib.SQLITE_NULL: "NULL", lib.SQLITE_INTEGER: "INTEGER", lib.SQLITE_FLOAT: "FLOAT"}[kind]
		return vector{}, fmt.Errorf("vector: unexpected value type: got %s, expected TEXT or BLOB", name)
	}
}

func vectorOfBlob(b []byte) (v vector, err error) {
	size := 4
	if len(b)%2 == 1 {
		switch last := b[len(b)-1]; last {
		case 1:
		case wideType:
			v.wide, size = true, 8
		case 3, 4, 5, 6:
			return v, fmt.Errorf("the local stack lacks vectors of other formats than FLOAT32 and FLOAT64, which libSQL has")
		default:
			return v, fmt.Errorf("vector: unexpected binary type: %d", last)
		}
		b = b[:len(b)-1]
	}
	if len(b)%size != 0 {
		return v, fmt.Errorf("vector: float%d vector blob length must be divisible by %d (excluding 'type'-byte): length=%d", 8*size, size, len(b))
	}
	if n := len(b) / size; n > longest {
		return v, fmt.Errorf("vector: max size exceeded: %d > %d", n, longest)
	}
	for ; len(b) > 0; b = b[size:] {
		if v.wide {
			v.elements = append(v.elements, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		} else {
			v.elements = append(v.elements, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
	}
	return v, nil
}

func vectorOfText(s string, wide bool) (vector, error) {
	v := vector{wide: wide}
	s, ok := strings.CutPrefix(strings.TrimSpace(s), "[")
	if !ok {
		return v, fmt.Errorf("vector: must start with '['")
	}
	s, rest, ok := strings.Cut(s, "]")
	switch {
	case !ok:
		return v, fmt.Errorf("vector: must end with ']'")
	case strings.TrimSpace(rest) != "":
		return v, fmt.Errorf("vector: non-space symbols after closing ']' are forbidden")
	case strings.TrimSpace(s) == "":
		return v, nil
	}
	for i, field := range strings.Split(s, ",") {
		field = strings.Join(strings.Fields(field), "")
		f, err := strconv.ParseFloat(field, 64)
		if err != nil && !math.IsInf(f, 0) || strings.Trim(field, "0123456789+-.eE") != "" {
			return v, fmt.Errorf("vector: invalid float at position %d: '%s'", i, field)
		}
		if i == longest {
			return v, fmt.Errorf("vector: max size exceeded %d", longest)
		}
		if !wide {
			f = float64(float32(f))
		}
		v.elements = append(v.elements, f)
	}
	return v, nil
}

// kind is libSQL's number of the format.
func (v vector) kind() int {
	if v.wide {
		return wideType
	}
	return 1
}

// blob is the vector as it is stored.
func (v vector) blob(wide bool) []byte {
	var b []byte
	for _, f := range v.elements {
		if wide {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
		} else {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(f)))
		}
	}
	if wide {
		b = append(b, wideType)
	}
	return b
}

// text is the vector as C's %g writes its numbers.
func (v vector) text() string {
	var b strings.Builder
	for i, f := range v.elements {
		if i > 0 {
			b.WriteByte(',')
		}
		s := strconv.FormatFloat(f, 'g', 6, 64)
		if mantissa, exponent, ok := strings.Cut(s, "e"); ok {
			if strings.Contains(mantissa, ".") {
				mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
			}
			s = mantissa + "e" + exponent
		}
		b.WriteString(s)
	}
	return "[" + b.String() + "]"
}

func resultError(tls *libc.TLS, ctx uintptr, err error) {
	p, nomem := cstring(tls, err.Error())
	if nomem != nil {
		lib.Xsqlite3_result_error_nomem(tls, ctx)
		return
	}
	defer freeC(tls, p)
	lib.Xsqlite3_result_error(tls, ctx, p, -1)
}

// argument is the i-th value that a function was called with.
func argument(argv uintptr, i int) uintptr {
	return *(*uintptr)(pointer(argv + uintptr(i)*ptrSize))
}

func makeVector(tls *libc.TLS, ctx, argv uintptr, wide bool) {
	v, err := parseVector(tls, argument(argv, 0), wide)
	if err != nil {
		resultError(tls, ctx, err)
		return
	}
	b := v.blob(wide)
	if len(b) == 0 {
		lib.Xsqlite3_result_zeroblob(tls, ctx, 0)
		return
	}
	p, err := cstring(tls, string(b))
	if err != nil {
		lib.Xsqlite3_result_error_nomem(tls, ctx)
		return
	}
	defer freeC(tls, p)
	lib.Xsqlite3_result_blob(tls, ctx, p, int32(len(b)), transient)
}

func vector32Function(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	makeVector(tls, ctx, argv, false)
}

func vector64Function(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	makeVector(tls, ctx, argv, true)
}

func extractFunction(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	v, err := parseVector(tls, argument(argv, 0), false)
	if err != nil {
		resultError(tls, ctx, err)
		return
	}
	resultText(tls, ctx, v.text())
}

// distance answers with what f makes of two vectors of the same kind.
func distance(tls *libc.TLS, ctx, argv uintptr, f func(a, b vector) float64) {
	a, err := parseVector(tls, argument(argv, 0), false)
	if err == nil {
		var b vector
		b, err = parseVector(tls, argument(argv, 1), false)
		switch {
		case err != nil:
		case a.wide != b.wide:
			err = fmt.Errorf("vector_distance: vectors must have the same type: %d != %d", a.kind(), b.kind())
		case len(a.elements) != len(b.elements):
			err = fmt.Errorf("vector_distance: vectors must have the same length: %d != %d", len(a.elements), len(b.elements))
		default:
			lib.Xsqlite3_result_double(tls, ctx, float64(float32(f(a, b))))
			return
		}
	}
	resultError(tls, ctx, err)
}

func cosineFunction(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	distance(tls, ctx, argv, func(a, b vector) float64 {
		var dot, norm1, norm2 float64
		for i, x := range a.elements {
			y := b.elements[i]
			dot, norm1, norm2 = dot+x*y, norm1+x*x, norm2+y*y
			if !a.wide {
				dot, norm1, norm2 = float64(float32(dot)), float64(float32(norm1)), float64(float32(norm2))
			}
		}
		return 1 - dot/math.Sqrt(norm1*norm2)
	})
}

func euclidFunction(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	distance(tls, ctx, argv, func(a, b vector) float64 {
		var sum float64
		for i, x := range a.elements {
			d := x - b.elements[i]
			if sum += d * d; !a.wide {
				sum = float64(float32(sum))
			}
		}
		return math.Sqrt(sum)
	})
}
