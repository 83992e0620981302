/*
 * The heap as text (debug=1): the profile as Go's runtime and gperftools
 * write it, and after it what the workers' memory is made of.
 *
 * Rule: what comes first is read by `go tool pprof`; the rest are comments.
 */
#ifndef PP_ENCODE_TEXT_TEXT_HEAP_H
#define PP_ENCODE_TEXT_TEXT_HEAP_H

#include "base/buf.h"
#include "counts/heap.h"
#include "counts/memory.h"

/*
 * Append the profile, symbolized or not, as it was made for `view`. Readers
 * scale raw values themselves, by the one rate that the first line names.
 */
void pp_encode_text_heap(const struct pp_profile *p,
    const struct pp_heap_view *view, struct pp_buf *out);

/*
 * Append the trailer: "# Key = value" for all workers together, then the same
 * with "worker.N." before the key for each. docs/memory.md says what each key
 * is. `live` is by slot: pp_heap_view.live.
 */
void pp_encode_text_memory(const struct pp_memory_worker *worker,
    uint32_t workers, const uint64_t *live, struct pp_buf *out);

#endif
