package main

import (
	"fmt"
	"os"
)

type configError struct {
	path string
	err  error
}

func (e configError) Error() string { return e.path + ": " + e.err.Error() }

func load(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		panic(configError{path, fmt.Errorf("cannot read settings:\n\t%w", err)})
	}
	return data
}

func main() {
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Sprintf("start failed: %v", r))
		}
	}()
	load("/etc/acme/missing.toml")
}
