package measure

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Cost is the cost of holding many of one thing: the total time, the requests per second,
// and the memory of the process that holds them.
type Cost struct {
	Milliseconds, Rate, MiB float64
}

// AtOnce makes requests with n callers, each with its share of some thousands, after one
// each to warm up, a few callers at a time: zen proxy closes connections if too many at
// once have not sent its bearer token yet. resident measures the memory while all
// connections are open.
func AtOnce(n int, request func(caller int) error, resident func() (float64, error)) (Cost, error) {
	each := max(4, 8192/n)
	if err := callers(n, 16, 1, request); err != nil {
		return Cost{}, err
	}
	began := time.Now()
	if err := callers(n, n, each, request); err != nil {
		return Cost{}, err
	}
	took := time.Since(began)
	mib, err := resident()
	return Cost{Milliseconds: float64(took.Microseconds()) / 1000, Rate: float64(n*each) / took.Seconds(), MiB: mib}, err
}

// callers makes requests with n callers, of which only a limited number runs at once.
func callers(n, atOnce, each int, request func(caller int) error) error {
	var group sync.WaitGroup
	failed, free := make([]error, n), make(chan struct{}, atOnce)
	for i := range n {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			for range each {
				if failed[i] = request(i); failed[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// Resident is the memory of this process in MiB, ResidentOf that of another.
func Resident() (float64, error) { return ResidentOf(os.Getpid()) }

func ResidentOf(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	var kib float64
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0, fmt.Errorf("the memory of process %d: %w", pid, err)
	}
	return kib / 1024, nil
}
