// The equal of app.c in Go: the same page, the same size of answer, on as
// many cores. What net/http/pprof costs is seen by building it with and
// without pprof.go.
//
// Rule: the standard library only.
package main

import (
	"log"
	"net/http"
	"os"
)

var hello = []byte("hello from the benchmark\n")

func small(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Write(hello)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: main host:port")
	}
	http.HandleFunc("/", small)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
