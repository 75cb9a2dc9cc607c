package traffic

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkRecord measures the cost of recording a query, which takes about 60 µs.
func BenchmarkRecord(b *testing.B) {
	answer := []byte(`{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"1","decltype":null}],"rows":[[{"type":"integer","value":"1"}]]}}}]}`)
	handler := newRecorder().Record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) }), service)
	request := httptest.NewRequest("POST", "/dbs/app/v3/pipeline", nil)
	request.Header.Set("Authorization", "Bearer "+compact(header,
		`{"a":"rw","azp":"http://127.0.0.1:4000","exp":1772600767,"iat":1772600707,"id":"48077fc4-b5e3-41c0-8da4-e0552b198098","iss":"http://127.0.0.1:4000","jti":"4cd8f1d2b0e56f6a9c11","nbf":1772600697,"perm":[],"rid":"0a9cf2a3-3e44-4d8d-9c56-1b1b1b1b1b1b","sub":"user_88HWtdHYfzduMMOew1CLqldlsSd"}`))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		w.Body.Reset()
		handler.ServeHTTP(w, request)
	}
}
