/*
 * The heap as text (debug=1): first the profile as Go's runtime and gperftools
 * write it, then what the workers' memory consists of.
 *
 * Rule: `go tool pprof` reads the first part; all lines after it are comments.
 */
#ifndef PP_ENCODE_TEXT_TEXT_HEAP_H
#define PP_ENCODE_TEXT_TEXT_HEAP_H

#include "base/buf.h"
#include "counts/heap.h"
#include "counts/memory.h"

/*
 * Append the profile, symbolized or not, as it was made for `view`. Readers
 * scale raw values themselves, by the one rate in the first line.
 */
void pp_encode_text_heap(const struct pp_profile *p,
    const struct pp_heap_view *view, struct pp_buf *out);

/*
 * Append the trailer: "# Key = value" for all workers together, and then for
 * each worker the same lines with "worker.N." before the key. docs/memory.md
 * defines each key. `live` is indexed by slot: pp_heap_view.live.
 */
void pp_encode_text_memory(const struct pp_memory_worker *worker,
    uint32_t workers, const uint64_t *live, struct pp_buf *out);

#endif
