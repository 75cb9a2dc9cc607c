package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

const tokenRuns = 60

// warmToken compares zen token, with a good stored token, with a program that
// reads a file and prints it: whole processes, taking turns.
func warmToken(s *stack, dir string) error {
	status, err := s.zen("token", "--json")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "token")
	if err := writeFile(file, status); err != nil {
		return err
	}
	programs := [][]string{{filepath.Join(dir, "floor"), file}, {"bin/zen", "token"}}
	times := make([][]time.Duration, len(programs))
	memory := make([]int64, len(programs))
	for i := range tokenRuns + 10 {
		for p, program := range programs {
			cmd := exec.Command(program[0], program[1:]...)
			cmd.Env = s.env
			start := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%v: %w", program, err)
			}
			if i >= 10 {
				times[p] = append(times[p], time.Since(start))
			}
			memory[p] = max(memory[p], maxRSS(cmd.ProcessState))
		}
	}
	var medians [2]time.Duration
	for p := range programs {
		medians[p] = median(times[p])
	}
	fmt.Printf("\nwarm zen token, whole process, median of %d, taking turns:\n", tokenRuns)
	fmt.Printf("  floor (reads a file, prints it)  %6.2f ms  %5.1f MiB\n", ms(medians[0]), mib(memory[0]))
	fmt.Printf("  zen token (verifies, too)        %6.2f ms  %5.1f MiB  %.1f x floor\n", ms(medians[1]), mib(memory[1]), float64(medians[1])/float64(medians[0]))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
