package peer

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain also runs another user's program, which sends a request to a server.
func TestMain(m *testing.M) {
	if url := os.Getenv("PEER_TEST_URL"); url != "" {
		resp, err := http.Get(url)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Print(resp.Header.Get("Foreign"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestForeign(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		foreign, known := Foreign(r)
		w.Header().Set("Foreign", fmt.Sprint(foreign, known))
	}))
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Foreign"); got != "false true" {
		t.Errorf("this process: %s", got)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can be another user")
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "peer")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/other", self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dir + "/other")
	cmd.Dir = "/"
	cmd.Env = []string{"PEER_TEST_URL=" + server.URL}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "true true" {
		t.Errorf("another user's process: %s, %v", out, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("0100007F:1F90")
	f.Add("0000000000000000FFFF00000100007F:0050")
	f.Fuzz(func(t *testing.T, text string) {
		if a, ok := parse(text); ok && !a.IsValid() {
			t.Errorf("%q is %v", text, a)
		}
	})
}
