package main

import "fmt"

type store struct{ items map[string]int }

func (s *store) add(name string) {
	s.items[name]++
}

func main() {
	fmt.Println("reading basket")
	var s *store
	s.add("tea")
}
