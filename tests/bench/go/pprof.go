package main

import (
	_ "net/http/pprof"
	"os"
	"runtime"
)

// Waits are measured when the environment says so, at rate 1 both, like
// PPROF_BLOCK_RATE=1 and PPROF_MUTEX_FRACTION=1.
func rates() {
	if os.Getenv("BENCH_WAITS") != "" {
		runtime.SetBlockProfileRate(1)
		runtime.SetMutexProfileFraction(1)
	}
}
