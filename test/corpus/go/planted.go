package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

type point struct{ x, y int }

func (p point) sum() int { return p.x + p.y }

func tiny(a int) int { return a*3 + leaf(a) }
func leaf(a int) int { return a ^ 0x55 }

//go:noinline
func Planted(n int) int {
	if n < 2 {
		return tiny(n) + point{n, n}.sum()
	}
	return Planted(n-1) + Planted(n-2)
}

func main() {
	s := []string{"b", "a", fmt.Sprint(Planted(5))}
	sort.Strings(s)
	fmt.Println(strings.Join(s, ","), len(os.Args))
}
