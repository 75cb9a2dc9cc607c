package cli

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"

	"github.com/zen-auth/zen/internal/cli/app"
)

// interruptMain is the program "interrupt PATTERN COMMAND [ARGUMENT...]". It interrupts the
// command as Ctrl-C does when its standard error matches the pattern, and exits with its exit
// code.
func interruptMain() {
	pattern := regexp.MustCompile("(?m)" + os.Args[1])
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "interrupt:", err)
		os.Exit(1)
	}
	var said []byte
	for interrupted, buffer := false, make([]byte, 4096); ; {
		n, err := stderr.Read(buffer)
		_, _ = os.Stderr.Write(buffer[:n])
		if said = append(said, buffer[:n]...); !interrupted && pattern.Match(said) {
			interrupted = true
			_ = cmd.Process.Signal(os.Interrupt)
		}
		if err != nil {
			break
		}
	}
	_ = cmd.Wait()
	syscall.Exit(app.ExitStatus(cmd.ProcessState))
}
