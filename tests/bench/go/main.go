// The equal of app.c in Go: the same pages, the same size of answers, on as
// many cores; and the loops of malloc_loop.c and lock_loop.c. What
// net/http/pprof costs is seen by building it with pprof.go and with absent.go.
//
// Rule: the standard library only.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"syscall"
)

var hello = []byte("hello from the benchmark\n")

func answer(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "text/plain")
	w.Write(body)
}

func small(w http.ResponseWriter, r *http.Request) {
	answer(w, hello)
}

// A string of 200 bytes put together word by word: strings cannot be changed,
// so each word is an allocation.
func concat(w http.ResponseWriter, r *http.Request) {
	text := ""
	for i := 0; i < 50; i++ {
		text += "test"
	}
	answer(w, []byte(text))
}

var block []byte

func allocate(pairs int) {
	for i := 0; i < pairs; i++ {
		block = make([]byte, 16+i*7%256)
	}
}

func lock(pairs int) {
	var mutex sync.Mutex
	for i := 0; i < pairs; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
}

// CPU time of all threads, so that what the garbage collector does for the
// loop is in it.
func used() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// Nanoseconds of one turn of the loop.
func timed(loop func(int)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		pairs, err := strconv.Atoi(r.FormValue("pairs"))
		if err != nil || pairs < 1 {
			http.Error(w, "pairs= is not a number from 1", 400)
			return
		}
		start := used()
		loop(pairs)
		took := used() - start
		answer(w, []byte(fmt.Sprintf("%.3f\n",
			float64(took)/float64(pairs))))
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: main host:port")
	}
	rates()
	http.HandleFunc("/", small)
	http.HandleFunc("/concat", concat)
	http.HandleFunc("/pairs", timed(allocate))
	http.HandleFunc("/locks", timed(lock))
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
