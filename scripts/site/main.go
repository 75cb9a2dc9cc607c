// Command site writes the pages of the project as a web site of static files: what a
// server has to do is to serve them. A link that leads nowhere fails it.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", ".", "the checkout `DIR`")
	out := flag.String("out", "dist/site", "write the site to `DIR`, which is emptied first")
	flag.Parse()
	if err := run(*root, *out); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

func run(root, out string) error {
	s, err := read(os.DirFS(root))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	return s.write(out)
}
