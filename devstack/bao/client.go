package bao

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const callTimeout = 30 * time.Second

// Client calls a server's API with a token.
type Client struct {
	URL   string
	Token string
}

// Error is an unsuccessful response.
type Error struct {
	Status int
	Errors []string
}

func (e *Error) Error() string {
	return "bao: status " + strconv.Itoa(e.Status) + ": " + strings.Join(e.Errors, "; ")
}

// Call makes a request at /v1/path. body, if not nil, is sent as JSON; the response is
// decoded into result, if not nil.
func (c Client) Call(ctx context.Context, method, path string, body, result any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL+"/v1/"+path, reader)
	if err != nil {
		return err
	}
	if c.Token != "" {
		req.Header.Set("X-Vault-Token", c.Token)
	}
	req.Header.Set("X-Vault-Request", "true")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		e := &Error{Status: resp.StatusCode}
		var answer struct{ Errors []string }
		if json.Unmarshal(data, &answer) == nil {
			e.Errors = answer.Errors
		}
		return e
	}
	if result == nil || len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, result)
}

// Write writes to a path, as bao write does.
func (c Client) Write(ctx context.Context, path string, body any) error {
	return c.Call(ctx, http.MethodPost, path, body, nil)
}

// Read returns the data of the answer, as bao read does.
func (c Client) Read(ctx context.Context, path string) (map[string]any, error) {
	var answer struct{ Data map[string]any }
	err := c.Call(ctx, http.MethodGet, path, nil, &answer)
	return answer.Data, err
}

// Login signs in at auth/MOUNT/login and returns a client with the token.
func (c Client) Login(ctx context.Context, mount string, body any) (Client, error) {
	var answer struct {
		Auth struct {
			Token string `json:"client_token"`
		}
	}
	c.Token = ""
	err := c.Call(ctx, http.MethodPost, "auth/"+mount+"/login", body, &answer)
	c.Token = answer.Auth.Token
	return c, err
}

// Policy writes a policy in HCL.
func (c Client) Policy(ctx context.Context, name, hcl string) error {
	return c.Write(ctx, "sys/policies/acl/"+name, map[string]string{"policy": hcl})
}

// Register puts a plugin into the catalog by the sum of its program, which is in the
// server's plugin directory. kind is "secret" or "auth"; version may be "".
func (c Client) Register(ctx context.Context, kind, name, program, version string) error {
	sum, err := sha256File(program)
	if err != nil {
		return err
	}
	command := program[strings.LastIndexAny(program, `/\`)+1:]
	return c.Write(ctx, "sys/plugins/catalog/"+kind+"/"+name, map[string]any{"command": command, "sha256": sum, "version": version})
}

func sha256File(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
