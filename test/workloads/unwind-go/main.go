// A Go program whose frames are judged: a leaf without a frame, deep recursion, goroutines, calls into the runtime.
package main

import (
	"fmt"
	"os"
	"strings"
)

//go:noinline
func leaf(n int) int {
	s := 0
	for i := 0; i < n; i++ {
		s += i * i
	}
	return s
}

//go:noinline
func deep(n int) int {
	var room [100]int
	if n == 0 {
		return leaf(1000)
	}
	room[n%100] = n
	return deep(n-1) + room[3]
}

func main() {
	done := make(chan int)
	go func() { done <- deep(20) }()
	fmt.Fprintln(os.Stderr, strings.Repeat("x", (deep(20)+<-done)&3))
}
