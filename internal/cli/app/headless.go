package app

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// wsl is the Windows Subsystem for Linux.
const wsl = "WSL"

// surroundings say whether a browser can be opened where zen runs, and on which machine.
type surroundings struct {
	// name names a place without a desktop, for people; "" means a desktop.
	name string
	// browser says that one can be opened all the same.
	browser bool
}

// lookAround recognises the places where no browser opens, or another machine's.
// Files are read below root.
func lookAround(system string, getenv func(string) string, root string) surroundings {
	if getenv("SSH_CONNECTION") != "" || getenv("SSH_TTY") != "" || getenv("SSH_CLIENT") != "" {
		return surroundings{name: "an SSH session"}
	}
	if system != "linux" {
		return surroundings{browser: true}
	}
	version, _ := os.ReadFile(root + "/proc/version")
	switch {
	case getenv("WSL_INTEROP") != "" || getenv("WSL_DISTRO_NAME") != "" || strings.Contains(strings.ToLower(string(version)), "microsoft"):
		return surroundings{wsl, firstOf(windowsOpeners) != nil || getenv("DISPLAY") != ""}
	case inContainer(getenv, root):
		return surroundings{name: "a container"}
	case getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "":
		return surroundings{name: "a machine without a display"}
	}
	return surroundings{browser: true}
}

// inContainer recognises Docker, Podman, systemd-nspawn, LXC and Kubernetes.
func inContainer(getenv func(string) string, root string) bool {
	if getenv("container") != "" || getenv("KUBERNETES_SERVICE_HOST") != "" {
		return true
	}
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(root + mark); err == nil {
			return true
		}
	}
	groups, _ := os.ReadFile(root + "/proc/1/cgroup")
	return slices.ContainsFunc([]string{"/docker", "/lxc", "/kubepods", "containerd", "libpod"}, func(word string) bool {
		return strings.Contains(string(groups), word)
	})
}

// around is lookAround for this process. A BROWSER that the user has set knows
// better: editors that work on another machine set one that opens pages here.
func around() surroundings {
	s := lookAround(runtime.GOOS, os.Getenv, "")
	s.browser = s.browser || os.Getenv("BROWSER") != ""
	return s
}

// BrowserOpens reports whether a page can be opened here, as far as can be told.
func BrowserOpens() bool { return around().browser }

// windowsOpeners reach the browser of Windows from inside of WSL. The second is
// given the URL as one argument of a function, not as words of a shell.
var windowsOpeners = [][]string{{"wslview"}, {"rundll32.exe", "url.dll,FileProtocolHandler"}}

// firstOf returns the first command that is there, or nil.
func firstOf(commands [][]string) []string {
	for _, command := range commands {
		if _, err := exec.LookPath(command[0]); err == nil {
			return append([]string{}, command...)
		}
	}
	return nil
}
