package main

import "runtime/debug"

func deep(n int) int { return deep(n+1) + 1 }

func main() {
	debug.SetMaxStack(64 * 1024)
	println(deep(0))
}
