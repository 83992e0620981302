/*
 * test_trace_hostile.c with tables so small that they are full: small.mk
 * builds it with the collector's side of traces.
 *
 * needs: a core, 19 s
 */
#include "test_trace_hostile.c"
