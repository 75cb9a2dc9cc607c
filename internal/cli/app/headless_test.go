package app

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLookAround(t *testing.T) {
	desktop := map[string]string{"DISPLAY": ":0"}
	t.Setenv("PATH", t.TempDir()) // no wslview
	for name, test := range map[string]struct {
		system string
		env    map[string]string
		files  map[string]string
		want   surroundings
	}{
		"desktop":           {"linux", desktop, nil, surroundings{browser: true}},
		"Wayland":           {"linux", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, nil, surroundings{browser: true}},
		"macOS":             {"darwin", nil, nil, surroundings{browser: true}},
		"SSH":               {"linux", map[string]string{"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "DISPLAY": ":10"}, nil, surroundings{name: "an SSH session"}},
		"SSH with terminal": {"darwin", map[string]string{"SSH_TTY": "/dev/pts/0"}, nil, surroundings{name: "an SSH session"}},
		"server":            {"linux", nil, map[string]string{"proc/1/cgroup": "0::/init.scope\n"}, surroundings{name: "a machine without a display"}},
		"WSL by variable":   {"linux", map[string]string{"WSL_DISTRO_NAME": "Debian"}, nil, surroundings{name: wsl}},
		"WSL by kernel":     {"linux", nil, map[string]string{"proc/version": "Linux version 5.15.153.1-microsoft-standard-WSL2"}, surroundings{name: wsl}},
		"WSL with display":  {"linux", map[string]string{"WSL_INTEROP": "/run/WSL/8_interop", "DISPLAY": ":0"}, nil, surroundings{wsl, true}},
		"Docker":            {"linux", desktop, map[string]string{".dockerenv": ""}, surroundings{name: "a container"}},
		"Podman":            {"linux", nil, map[string]string{"run/.containerenv": ""}, surroundings{name: "a container"}},
		"nspawn":            {"linux", map[string]string{"container": "systemd-nspawn"}, nil, surroundings{name: "a container"}},
		"LXC":               {"linux", nil, map[string]string{"proc/1/cgroup": "1:name=systemd:/lxc/web\n"}, surroundings{name: "a container"}},
		"Kubernetes":        {"linux", map[string]string{"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, nil, surroundings{name: "a container"}},
	} {
		root := t.TempDir()
		for file, text := range test.files {
			path := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got := lookAround(test.system, func(variable string) string { return test.env[variable] }, root)
		if got != test.want {
			t.Errorf("%s: lookAround() = %+v, want %+v", name, got, test.want)
		}
	}
}
