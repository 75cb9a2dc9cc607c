package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/internal/testwait"
)

// answer is a body that the test writes, which ends with its request's context, as net/http's
// do.
func answer(ctx context.Context) (body io.ReadCloser, server *io.PipeWriter) {
	read, write := io.Pipe()
	context.AfterFunc(ctx, func() { write.CloseWithError(ctx.Err()) })
	return read, write
}

func TestEndSilence(t *testing.T) {
	const wait = time.Minute
	for _, test := range []struct {
		name string
		do   func(send func(after time.Duration), read func(after time.Duration) error, cancel func())
		want error
		took time.Duration
	}{
		{"nothing comes", func(_ func(time.Duration), read func(time.Duration) error, _ func()) { _ = read(0) }, ErrSilent, wait},
		{"it stops", func(send func(time.Duration), read func(time.Duration) error, _ func()) {
			go send(0)
			for read(0) == nil {
			}
		}, ErrSilent, wait},
		{"a byte comes now and then", func(send func(time.Duration), read func(time.Duration) error, _ func()) {
			go func() {
				for range 100 {
					send(wait - time.Second)
				}
			}()
			for range 100 {
				_ = read(0)
			}
		}, nil, 100 * (wait - time.Second)},
		{"the reader is slow", func(send func(time.Duration), read func(time.Duration) error, _ func()) {
			go func() {
				for range 10 {
					send(0)
				}
			}()
			for range 10 {
				_ = read(time.Hour)
			}
		}, nil, 10 * time.Hour},
		{"the caller gives up", func(_ func(time.Duration), read func(time.Duration) error, cancel func()) {
			time.AfterFunc(time.Second, cancel)
			_ = read(0)
		}, context.Canceled, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller, giveUp := context.WithCancel(t.Context())
				defer giveUp()
				ctx, cancel := context.WithCancelCause(caller)
				defer cancel(nil)
				came, server := answer(ctx)
				body := EndSilence(ctx, cancel, came, wait)
				defer body.Close()
				began := time.Now()
				var failed error
				test.do(func(after time.Duration) {
					time.Sleep(after)
					_, _ = server.Write([]byte("x"))
				}, func(after time.Duration) error {
					time.Sleep(after)
					_, err := body.Read(make([]byte, 1))
					failed = errors.Join(failed, err)
					return err
				}, giveUp)
				if !errors.Is(failed, test.want) || test.want == nil && failed != nil {
					t.Errorf("%v, want %v", failed, test.want)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if test.want == nil {
					time.Sleep(time.Hour) // and nothing ends it that is left behind
					if ctx.Err() != nil {
						t.Error(context.Cause(ctx))
					}
				}
			})
		})
	}
}

// Nothing is left of an answer that fell silent, by HTTP/1 and by HTTP/2.
func TestSilentServer(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		over := make(chan struct{})
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("begun"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			over <- struct{}{}
		}))
		server.EnableHTTP2 = http2
		server.StartTLS()
		client := server.Client()
		before := runtime.NumGoroutine()
		for range 3 {
			ctx, cancel := context.WithCancelCause(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if http2 != (resp.ProtoMajor == 2) {
				t.Errorf("it is %s", resp.Proto)
			}
			body := EndSilence(ctx, cancel, resp.Body, 20*time.Millisecond)
			got, err := io.ReadAll(body)
			if string(got) != "begun" || !errors.Is(err, ErrSilent) {
				t.Errorf("%s: %q, %v", resp.Proto, got, err)
			}
			if _, err := body.Read(make([]byte, 1)); !errors.Is(err, ErrSilent) {
				t.Errorf("%s: read again: %v", resp.Proto, err)
			}
			if err := body.Close(); err != nil {
				t.Error(err)
			}
			<-over
		}
		client.CloseIdleConnections()
		testwait.Until(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
		server.Close()
	}
}
