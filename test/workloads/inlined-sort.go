package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

func add(a, b int) int { return a + b }

func build(count int) []string {
	var texts []string
	for i := 0; i < count; i++ {
		texts = append(texts, strings.Repeat("x", add(i, 1)))
	}
	sort.Strings(texts)
	return texts
}

func main() { fmt.Println(len(build(len(os.Args) * 10))) }
