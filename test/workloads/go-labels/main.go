// Spends CPU time under labels of runtime/pprof, and profiles itself meanwhile: labels PROFILE MILLISECONDS
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var sink int

//go:noinline
func spin(turns int) int {
	x := turns
	for i := 0; i < turns*1000; i++ {
		x = x*31 + i
	}
	return x
}

// Each runs under the label route=<its name> only.

//go:noinline
func alpha() { sink += spin(50) }

//go:noinline
func beta() { sink += spin(100) }

//go:noinline
func gamma() { sink += spin(150) }

// Ends in the runtime, on the thread's own stack for a part.
//
//go:noinline
func delta() {
	for i := 0; i < 20; i++ {
		kept = append(kept[:0], make([]byte, 64<<10)...)
	}
}

// Ends in the kernel.
//
//go:noinline
func epsilon() {
	zero, err := os.Open("/dev/zero")
	if err != nil {
		panic(err)
	}
	defer zero.Close()
	buffer := make([]byte, 256<<10)
	for i := 0; i < 4; i++ {
		zero.Read(buffer)
	}
}

//go:noinline
func unlabelled() { sink += spin(40) }

var kept []byte

var handlers = map[string]func(){"alpha": alpha, "beta": beta, "gamma": gamma, "delta": delta, "epsilon": epsilon}
var names = []string{"alpha", "beta", "gamma", "delta", "epsilon"}

// A label more than a map has in one bucket to Go 1.23.
func many(name string) pprof.LabelSet {
	pairs := []string{"route", name}
	for i := 0; i < 8; i++ {
		pairs = append(pairs, fmt.Sprint("more", i), strings.Repeat(strconv.Itoa(i), i))
	}
	return pprof.Labels(pairs...)
}

func request(i int) {
	name := names[i%len(names)]
	labels := pprof.Labels("route", name, "thread_name", "of the program")
	if i%3 == 0 {
		labels = many(name)
	}
	if i%7 == 0 {
		labels = pprof.Labels("route", name, "long", strings.Repeat("ü", 100))
	}
	pprof.Do(context.Background(), labels, func(ctx context.Context) {
		if i%2 == 0 {
			handlers[name]()
			return
		}
		// A goroutine has the labels of the one that has started it.
		var group sync.WaitGroup
		group.Add(1)
		go func() {
			defer group.Done()
			handlers[name]()
		}()
		group.Wait()
	})
	unlabelled()
}

// Of the process.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

//go:noinline
func warm(until time.Time) {
	for time.Now().Before(until) {
		sink += spin(20)
	}
}

//go:noinline
func measured(until time.Duration) {
	for i := 0; cpuTime() < until; i++ {
		request(i)
	}
}

func main() {
	ms, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	// Long enough to be known to whoever watches.
	warm(time.Now().Add(1500 * time.Millisecond))
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	// Others than the usual 100 Hz; StartCPUProfile complains, and goes on at this rate.
	runtime.SetCPUProfileRate(499)
	if err := pprof.StartCPUProfile(file); err != nil {
		panic(err)
	}
	until := cpuTime() + time.Duration(ms)*time.Millisecond
	var group sync.WaitGroup
	for i := 0; i < 2; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			measured(until)
		}()
	}
	group.Wait()
	pprof.StopCPUProfile()
	file.Close()
}
