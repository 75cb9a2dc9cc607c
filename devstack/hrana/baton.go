package hrana

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// A baton is base64 of the stream's number and the number of its next request, 8 bytes
// each, and a MAC of them and of the database: it is valid once, for this server and that
// database.

// batonLength is the length of every baton.
const batonLength = (16 + sha256.Size) / 3 * 4

var errBadBaton = errors.New("baton is not of this server and database")

func (s *Server) encodeBaton(database string, stream, seq uint64) string {
	var raw [16 + sha256.Size]byte
	binary.BigEndian.PutUint64(raw[:8], stream)
	binary.BigEndian.PutUint64(raw[8:16], seq)
	copy(raw[16:], s.mac(database, raw[:16]))
	return base64.RawStdEncoding.EncodeToString(raw[:])
}

func (s *Server) decodeBaton(database, baton string) (stream, seq uint64, err error) {
	raw, err := base64.RawStdEncoding.DecodeString(baton)
	if err != nil || len(raw) != 16+sha256.Size || !hmac.Equal(raw[16:], s.mac(database, raw[:16])) {
		return 0, 0, errBadBaton
	}
	return binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:16]), nil
}

func (s *Server) mac(database string, payload []byte) []byte {
	m := hmac.New(sha256.New, s.key[:])
	m.Write(payload)
	m.Write([]byte(database))
	return m.Sum(nil)
}
