// SPDX-License-Identifier: Apache-2.0

// Go: the chain goes through an interface and a closure, on the main goroutine and, every other round, on one of its own.
// `chain SECONDS TRUTH`. The truth is that of planted.h.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const unit = 200_000
const clockThreadCPUTime = 3

var sink uint64
var seed uint64 = 88172645463325252
var took [5]int64

func cpuNs() int64 {
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPUTime, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

func random() uint64 {
	seed ^= seed << 13
	seed ^= seed >> 7
	seed ^= seed << 17
	return seed
}

func burn(units int) {
	for i := 0; i < units*unit; i++ {
		sink = sink*6364136223846793005 + 1
	}
}

//go:noinline
func planted_alpha(units int) { burn(units) }

//go:noinline
func planted_beta(units int) { burn(units) }

//go:noinline
func planted_gamma(units int) { burn(units) }

//go:noinline
func planted_delta(units int) { burn(units) }

//go:noinline
func planted_epsilon(units int) { burn(units) }

var functions = []struct {
	name   string
	call   func(int)
	weight uint64
}{
	{"planted_alpha", planted_alpha, 40}, {"planted_beta", planted_beta, 25}, {"planted_gamma", planted_gamma, 18},
	{"planted_delta", planted_delta, 12}, {"planted_epsilon", planted_epsilon, 5},
}

//go:noinline
func level_30(n uint64) uint64 {
	drawn := random() % 100
	chosen := 0
	for drawn >= functions[chosen].weight {
		drawn -= functions[chosen].weight
		chosen++
	}
	before := cpuNs()
	functions[chosen].call(1 + int(random()%5))
	took[chosen] += cpuNs() - before
	return sink + n
}

//go:noinline
func level_29(n uint64) uint64 { return level_30(n+1) + 1 }

//go:noinline
func level_28(n uint64) uint64 { return level_29(n+1) + 1 }

//go:noinline
func level_27(n uint64) uint64 { return level_28(n+1) + 1 }

//go:noinline
func level_26(n uint64) uint64 { return level_27(n+1) + 1 }

//go:noinline
func level_25(n uint64) uint64 { return level_26(n+1) + 1 }

//go:noinline
func level_24(n uint64) uint64 { return level_25(n+1) + 1 }

//go:noinline
func level_23(n uint64) uint64 { return level_24(n+1) + 1 }

//go:noinline
func level_22(n uint64) uint64 { return level_23(n+1) + 1 }

//go:noinline
func level_21(n uint64) uint64 { return level_22(n+1) + 1 }

//go:noinline
func level_20(n uint64) uint64 { return level_21(n+1) + 1 }

//go:noinline
func level_19(n uint64) uint64 { return level_20(n+1) + 1 }

//go:noinline
func level_18(n uint64) uint64 { return level_19(n+1) + 1 }

//go:noinline
func level_17(n uint64) uint64 { return level_18(n+1) + 1 }

//go:noinline
func level_16(n uint64) uint64 { return level_17(n+1) + 1 }

//go:noinline
func level_15(n uint64) uint64 { return level_16(n+1) + 1 }

//go:noinline
func level_14(n uint64) uint64 { return level_15(n+1) + 1 }

//go:noinline
func level_13(n uint64) uint64 { return level_14(n+1) + 1 }

//go:noinline
func level_12(n uint64) uint64 { return level_13(n+1) + 1 }

//go:noinline
func level_11(n uint64) uint64 { return level_12(n+1) + 1 }

//go:noinline
func level_10(n uint64) uint64 { return level_11(n+1) + 1 }

//go:noinline
func level_09(n uint64) uint64 { return level_10(n+1) + 1 }

//go:noinline
func level_08(n uint64) uint64 { return level_09(n+1) + 1 }

//go:noinline
func level_07(n uint64) uint64 { return level_08(n+1) + 1 }

//go:noinline
func level_06(n uint64) uint64 { return level_07(n+1) + 1 }

//go:noinline
func level_05(n uint64) uint64 { return level_06(n+1) + 1 }

//go:noinline
func level_04(n uint64) uint64 { return level_05(n+1) + 1 }

//go:noinline
func level_03(n uint64) uint64 { return level_04(n+1) + 1 }

//go:noinline
func level_02(n uint64) uint64 { return level_03(n+1) + 1 }

//go:noinline
func level_01(n uint64) uint64 { return level_02(n+1) + 1 }

type visitor interface{ visit_interface(n uint64) uint64 }

type walker struct{ offset uint64 }

//go:noinline
func (w *walker) visit_interface(n uint64) uint64 { return level_01(n+w.offset) + 1 }

//go:noinline
func round_of(v visitor, n uint64) uint64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return v.visit_interface(n) + 1
}

//go:noinline
func drive(v visitor, seconds float64) {
	// Of the process, since a goroutine's rounds are on threads of their own.
	var usage syscall.Rusage
	for n := uint64(0); ; n++ {
		syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
		if float64(usage.Utime.Nano()+usage.Stime.Nano()) > seconds*1e9 {
			return
		}
		if n%2 == 0 {
			sink += round_of(v, n)
		} else {
			done := make(chan uint64)
			go in_goroutine(v, n, done)
			sink += <-done
		}
	}
}

//go:noinline
func in_goroutine(v visitor, n uint64, done chan<- uint64) {
	done <- round_of(v, n)
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	if err != nil {
		panic(err)
	}
	drive(&walker{offset: 1}, seconds)
	truth, err := os.OpenFile(os.Args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	var levels strings.Builder
	for level := 1; level <= 30; level++ {
		fmt.Fprintf(&levels, " level_%02d", level)
	}
	fmt.Fprintf(truth, "chain main drive round_of visit_interface%s\n", levels.String())
	fmt.Fprintf(truth, "chain in_goroutine round_of visit_interface%s\n", levels.String())
	for i, function := range functions {
		fmt.Fprintf(truth, "total %s %d\n", function.name, took[i])
	}
	if err := truth.Close(); err != nil {
		panic(err)
	}
}
