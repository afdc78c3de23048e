// Makes one profile of every kind that Go's runtime has, with labels, inlined calls, generics, recursion and cgo-free
// system calls in them. Usage: main DIRECTORY
package main

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"
)

type number interface{ ~int | ~float64 }

func sum[T number](values []T) (total T) {
	for _, v := range values {
		total = add(total, v)
	}
	return total
}

func add[T number](a, b T) T { return a + b }

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

type tree struct{ children []*tree }

func (t *tree) grow(depth int) {
	if depth == 0 {
		return
	}
	for i := 0; i < 3; i++ {
		child := &tree{}
		child.grow(depth - 1)
		t.children = append(t.children, child)
	}
}

var kept []*tree

func burn(until time.Time) {
	values := make([]float64, 4096)
	for time.Now().Before(until) {
		sum(values)
		fibonacci(18)
		text := strings.Repeat("everflame ", 400)
		sha256.Sum256([]byte(text))
		words := strings.Fields(text)
		sort.Strings(words)
		w := gzip.NewWriter(io.Discard)
		_ = json.NewEncoder(w).Encode(words)
		_ = w.Close()
	}
}

func contend() {
	var mu sync.Mutex
	var group sync.WaitGroup
	channel := make(chan int)
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 200; j++ {
				mu.Lock()
				time.Sleep(20 * time.Microsecond)
				mu.Unlock()
			}
			channel <- 1
		}()
	}
	for i := 0; i < 8; i++ {
		<-channel
	}
	group.Wait()
}

func main() {
	directory := os.Args[1]
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	runtime.MemProfileRate = 4096

	cpu, err := os.Create(filepath.Join(directory, "cpu.pb.gz"))
	check(err)
	check(pprof.StartCPUProfile(cpu))
	var group sync.WaitGroup
	for _, route := range []string{"/", "/search", "/checkout"} {
		group.Add(1)
		go pprof.Do(context.Background(), pprof.Labels("route", route, "request_id", "r"+route), func(context.Context) {
			defer group.Done()
			burn(time.Now().Add(1500 * time.Millisecond))
		})
	}
	group.Wait()
	pprof.StopCPUProfile()
	check(cpu.Close())

	for i := 0; i < 4; i++ {
		root := &tree{}
		root.grow(8)
		kept = append(kept, root)
	}
	contend()
	waiting := make(chan struct{})
	for i := 0; i < 20; i++ {
		go func() { <-waiting }()
	}
	runtime.GC()
	for _, name := range []string{"heap", "allocs", "mutex", "block", "goroutine", "threadcreate"} {
		file, err := os.Create(filepath.Join(directory, name+".pb.gz"))
		check(err)
		check(pprof.Lookup(name).WriteTo(file, 0))
		check(file.Close())
	}
	runtime.KeepAlive(kept)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
