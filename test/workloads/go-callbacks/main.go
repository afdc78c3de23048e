// Go calls C, which calls Go, which calls C: callbacks MILLISECONDS
package main

/*
extern int goCallback(int);

__attribute__((noinline)) static int c_work(int n)
{
	volatile int x = 0;

	for (int i = 0; i < n * 1000; i++)
		x += i;
	return x;
}

__attribute__((noinline)) static int c_enter(int n)
{
	return goCallback(n) + c_work(n / 2);
}
*/
import "C"

import (
	"os"
	"strconv"
	"time"
)

var sink int

//go:noinline
func goWork(n int) int {
	x := 0
	for i := 0; i < n*1000; i++ {
		x = x*31 + i
	}
	return x
}

//export goCallback
func goCallback(n C.int) C.int {
	return C.int(goWork(int(n))) + C.c_work(n)
}

//go:noinline
func warm(until time.Time) {
	for time.Now().Before(until) {
		for i := 0; i < 100000; i++ {
			sink += i
		}
	}
}

//go:noinline
func measured(until time.Time) {
	for time.Now().Before(until) {
		sink += int(C.c_enter(200))
	}
}

func main() {
	ms, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	// Long enough to be known to whoever watches.
	warm(time.Now().Add(1500 * time.Millisecond))
	done := make(chan bool)
	go func() {
		measured(time.Now().Add(time.Duration(ms) * time.Millisecond))
		done <- true
	}()
	<-done
}
