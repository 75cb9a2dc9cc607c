package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// libSQL's vectors, which are blobs (libsql-sqlite3/src/vector.c in tursodatabase/libsql).
// Indexes of them are lacking.

func init() {
	functions = append(functions,
		function{"vector", 1, funcPointer(vector32Function)}, function{"vector32", 1, funcPointer(vector32Function)},
		function{"vector64", 1, funcPointer(vector64Function)}, function{"vector1bit", 1, funcPointer(vector1BitFunction)},
		function{"vector8", 1, funcPointer(vector8Function)}, function{"vector16", 1, funcPointer(vector16Function)},
		function{"vectorb16", 1, funcPointer(vectorB16Function)}, function{"vector_extract", 1, funcPointer(extractFunction)},
		function{"vector_distance_cos", 2, funcPointer(cosineFunction)}, function{"vector_distance_l2", 2, funcPointer(euclidFunction)})
}

// vectorKind is libSQL's number of a format.
type vectorKind byte

const (
	float32Kind vectorKind = 1 + iota
	float64Kind
	float1BitKind
	float8Kind
	float16Kind
	floatB16Kind

	longest = 65536
)

// vector holds numbers as they are computed with: those of fewer bits are exact in 64.
type vector struct {
	kind     vectorKind
	elements []float64
	data     []byte // of a blob, as it is stored, without what says its kind
}

// parseVector reads a vector, from text as numbers of the kind that is wanted.
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

// size returns the number of bytes that the numbers of a vector take.
func (k vectorKind) size(dims int) int {
	switch k {
	case float32Kind:
		return 4 * dims
	case float64Kind:
		return 8 * dims
	case float1BitKind:
		return (dims + 7) / 8
	case float8Kind:
		return aligned(dims) + 8 // with the numbers alpha and shift
	default:
		return 2 * dims
	}
}

// aligned returns the next multiple of four.
func aligned(n int) int { return (n + 3) &^ 3 }

// vectorOfBlob reads what the last byte says of the kind, if there is an odd number
// of bytes, and what bytes before it say of the length.
func vectorOfBlob(b []byte) (v vector, err error) {
	said := len(b)%2 == 1
	v.kind = float32Kind
	if said {
		v.kind, b = vectorKind(b[len(b)-1]), b[:len(b)-1]
	}
	n, dims := len(b), 0
	switch v.kind {
	case float32Kind, float64Kind:
		unit := v.kind.size(1)
		if said && n%unit != 0 {
			return v, fmt.Errorf("vector: float%d vector blob length must be divisible by %d (excluding 'type'-byte): length=%d", 8*unit, unit, n)
		}
		dims = n / unit
	case float1BitKind:
		if n == 0 {
			return v, fmt.Errorf("vector: float1bit vector blob length must be divisible by 2 and not be empty (excluding 'type'-byte): length=%d", n)
		}
		dims = 8*n - int(b[n-1])
		n = v.kind.size(dims)
	case float8Kind:
		if n < 2 {
			return v, fmt.Errorf("vector: float8 vector blob length must be divisible by 2 and has at least 2 bytes (excluding 'type'-byte): length=%d", n)
		}
		n -= 2
		dims = n - 8 - int(b[n+1])
	case float16Kind, floatB16Kind:
		dims = n / 2
	default:
		return v, fmt.Errorf("vector: unexpected binary type: %d", v.kind)
	}
	switch {
	case dims > longest:
		return v, fmt.Errorf("vector: max size exceeded: %d > %d", dims, longest)
	case dims < 0 || n > len(b) || n != v.kind.size(dims):
		return v, fmt.Errorf("vector: unexpected data part size: type=%d, dims=%d, %d != %d", v.kind, dims, n, v.kind.size(dims))
	}
	v.data = b[:n]
	v.elements = make([]float64, dims)
	alpha, shift := v.scale()
	for i := range v.elements {
		v.elements[i] = v.kind.element(v.data, i, alpha, shift)
	}
	return v, nil
}

// scale returns what the bytes of a vector of 8 bits are multiplied by, and moved by then.
func (v vector) scale() (alpha, shift float32) {
	if v.kind == float8Kind {
		end := v.data[len(v.data)-8:]
		alpha = math.Float32frombits(binary.LittleEndian.Uint32(end))
		shift = math.Float32frombits(binary.LittleEndian.Uint32(end[4:]))
	}
	return alpha, shift
}

// element returns the i-th number of the data.
func (k vectorKind) element(data []byte, i int, alpha, shift float32) float64 {
	switch k {
	case float32Kind:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
	case float64Kind:
		return math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	case float1BitKind:
		return float64(int(data[i/8]>>(i%8)&1)*2 - 1)
	case float8Kind:
		return float64(float32(alpha*float32(data[i])) + shift)
	case float16Kind:
		return float64(ofHalf(binary.LittleEndian.Uint16(data[2*i:])))
	default:
		return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16))
	}
}

// ofHalf returns a number of IEEE 754's 16 bits.
func ofHalf(h uint16) float32 {
	sign, exponent, mantissa := float64(1), int(h>>10&0x1f), float64(h&0x3ff)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch {
	case exponent == 0x1f && mantissa != 0:
		return float32(math.NaN())
	case exponent == 0x1f:
		return float32(math.Inf(int(sign)))
	case exponent == 0:
		return float32(math.Copysign(math.Ldexp(mantissa, -24), sign))
	}
	return float32(sign * math.Ldexp(1024+mantissa, exponent-25))
}

// toHalf rounds to the nearest, of two to the even one. Numbers below the normal ones
// lose their last bits before, as in libSQL.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, exponent, mantissa := uint16(bits>>16)&0x8000, int(bits>>23&0xff)-127, bits&0x7fffff
	switch {
	case exponent == 128 && mantissa != 0:
		return sign | 0x7e00
	case exponent > 15:
		return sign | 0x7c00
	case exponent >= -14:
	case exponent >= -25:
		exponent, mantissa = -15, (mantissa|0x800000)>>(-exponent-14)
	default:
		return sign
	}
	if mantissa&0x1fff > 0x1000-(mantissa>>13&1) {
		mantissa += 0x2000
	}
	return sign | uint16(exponent+15)<<10 + uint16(mantissa>>13)
}

func vectorOfText(s string, wide bool) (vector, error) {
	v := vector{kind: float32Kind}
	if wide {
		v.kind = float64Kind
	}
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

// blob returns the vector as it is stored, of a kind.
func (v vector) blob(kind vectorKind) []byte {
	b := v.data
	if kind != v.kind || b == nil {
		b = v.encode(kind)
	}
	b = b[:len(b):len(b)]
	dims := len(v.elements)
	switch kind {
	case float32Kind:
		return b
	case float1BitKind:
		if len(b)%2 == 0 {
			b = append(b, 0)
		}
		b = append(b, byte(8*(len(b)+1)-dims))
	case float8Kind:
		b = append(b, 0, byte(aligned(dims)-dims))
	}
	return append(b, byte(kind))
}

func (v vector) encode(kind vectorKind) []byte {
	b := make([]byte, 0, kind.size(len(v.elements))+3)
	if kind == float8Kind {
		return v.quantize(b)
	}
	for i, f := range v.elements {
		switch kind {
		case float32Kind:
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(f)))
		case float64Kind:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
		case float1BitKind:
			if i%8 == 0 {
				b = append(b, 0)
			}
			if f > 0 {
				b[i/8] |= 1 << (i % 8)
			}
		case float16Kind:
			b = binary.LittleEndian.AppendUint16(b, toHalf(float32(f)))
		case floatB16Kind:
			b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(float32(f))>>16))
		}
	}
	return b
}

// quantize spreads the numbers over 256 steps.
func (v vector) quantize(b []byte) []byte {
	var least, most float32
	if len(v.elements) > 0 {
		least, most = float32(slices.Min(v.elements)), float32(slices.Max(v.elements))
	}
	alpha := (most - least) / 255
	for _, f := range v.elements {
		step := float32((f - float64(least)) / float64(alpha))
		if v.kind != float64Kind {
			step = (float32(f) - least) / alpha
		}
		switch {
		case step > 255:
			b = append(b, 255)
		case step >= 0:
			b = append(b, byte(float64(step)+0.5))
		default: // NaN, where all are alike, included
			b = append(b, 0)
		}
	}
	b = append(b, make([]byte, aligned(len(b))-len(b))...)
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(alpha))
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(least))
}

// text returns the vector as C's %g writes its numbers.
func (v vector) text() string {
	var b strings.Builder
	for i, f := range v.elements {
		if i > 0 {
			b.WriteByte(',')
		}
		if f != 0 { // SQLite rounds a number in the middle up, Go to the even one
			f = math.Nextafter(f, math.Inf(int(math.Copysign(1, f))))
		}
		s := strings.TrimPrefix(strconv.FormatFloat(f, 'g', 6, 64), "+")
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

// argument returns the i-th value that a function was called with.
func argument(argv uintptr, i int) uintptr {
	return *(*uintptr)(pointer(argv + uintptr(i)*ptrSize))
}

func makeVector(tls *libc.TLS, ctx, argv uintptr, kind vectorKind) {
	v, err := parseVector(tls, argument(argv, 0), kind == float64Kind)
	if err != nil {
		resultError(tls, ctx, err)
		return
	}
	b := v.blob(kind)
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
	makeVector(tls, ctx, argv, float32Kind)
}

func vector64Function(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	makeVector(tls, ctx, argv, float64Kind)
}

func vector1BitFunction(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	makeVector(tls, ctx, argv, float1BitKind)
}

func vector8Function(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	makeVector(tls, ctx, argv, float8Kind)
}

func vector16Function(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	makeVector(tls, ctx, argv, float16Kind)
}

func vectorB16Function(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	makeVector(tls, ctx, argv, floatB16Kind)
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
func distance(tls *libc.TLS, ctx, argv uintptr, f func(a, b vector) (float64, error)) {
	a, err := parseVector(tls, argument(argv, 0), false)
	if err == nil {
		var b vector
		b, err = parseVector(tls, argument(argv, 1), false)
		switch {
		case err != nil:
		case a.kind != b.kind:
			err = fmt.Errorf("vector_distance: vectors must have the same type: %d != %d", a.kind, b.kind)
		case len(a.elements) != len(b.elements):
			err = fmt.Errorf("vector_distance: vectors must have the same length: %d != %d", len(a.elements), len(b.elements))
		default:
			var d float64
			if d, err = f(a, b); err == nil {
				lib.Xsqlite3_result_double(tls, ctx, float64(float32(d)))
				return
			}
		}
	}
	resultError(tls, ctx, err)
}

func cosineFunction(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	distance(tls, ctx, argv, func(a, b vector) (float64, error) {
		switch a.kind {
		case float1BitKind:
			return hamming(a.elements, b.elements), nil
		case float8Kind:
			return cosineOfSteps(a, b), nil
		case float64Kind:
			return cosine[float64](a.elements, b.elements), nil
		}
		return cosine[float32](a.elements, b.elements), nil
	})
}

func hamming(a, b []float64) (different float64) {
	for i := range a {
		if a[i] != b[i] {
			different++
		}
	}
	return different
}

func cosine[T float32 | float64](a, b []float64) float64 {
	var dot, norm1, norm2 T
	for i := range a {
		x, y := T(a[i]), T(b[i])
		dot, norm1, norm2 = dot+T(x*y), norm1+T(x*x), norm2+T(y*y)
	}
	return 1 - float64(dot)/math.Sqrt(float64(norm1*norm2))
}

// cosineOfSteps computes with the bytes, whose sums are exact.
func cosineOfSteps(a, b vector) float64 {
	var sum1, sum2, square1, square2, product uint32
	for i := range a.elements {
		x, y := uint32(a.data[i]), uint32(b.data[i])
		sum1, sum2 = sum1+x, sum2+y
		square1, square2, product = square1+x*x, square2+y*y, product+x*y
	}
	alpha1, shift1 := a.scale()
	alpha2, shift2 := b.scale()
	n := float32(len(a.elements))
	dot := float32(alpha1*alpha2*float32(product)) + float32(alpha1*shift2*float32(sum1)) + float32(alpha2*shift1*float32(sum2)) + float32(shift1*shift2*n)
	norm1 := float32(alpha1*alpha1*float32(square1)) + float32(2*alpha1*shift1*float32(sum1)) + float32(shift1*shift1*n)
	norm2 := float32(alpha2*alpha2*float32(square2)) + float32(2*alpha2*shift2*float32(sum2)) + float32(shift2*shift2*n)
	return 1 - float64(dot)/math.Sqrt(float64(norm1*norm2))
}

func euclidFunction(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) {
	distance(tls, ctx, argv, func(a, b vector) (float64, error) {
		switch a.kind {
		case float1BitKind:
			return 0, fmt.Errorf("vector_distance: l2 distance is not supported for float1bit vectors")
		case float64Kind:
			return euclid[float64](a.elements, b.elements), nil
		}
		return euclid[float32](a.elements, b.elements), nil
	})
}

func euclid[T float32 | float64](a, b []float64) float64 {
	var sum T
	for i := range a {
		d := T(a[i]) - T(b[i])
		sum += T(d * d)
	}
	return math.Sqrt(float64(sum))
}
