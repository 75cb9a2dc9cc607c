// Command floor is the cheapest program with the outside of zen token: it reads a
// file and prints it. What zen takes beyond it is zen's own.
package main

import "os"

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.Write(data)
}
