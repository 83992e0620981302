# Tests of what happens when a table is full: the hot side and the test built
# once more, with small limits, into objects of their own.
small_limits := -DPP_HEAP_LIVE=64 -DPP_HEAP_COUNTERS=16 -DPP_HEAP_INDEX=32 \
	-DPP_STACK_WORDS=512 -DPP_STACK_INDEX=64
small_obj := $(hot_src:%.c=$(B)/small/%.o)

$(B)/small/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(small_limits) $(ALL_CFLAGS) $(HOT_FLAGS) -MMD -MP \
	    -c -o $@ $<
$(B)/unit/test_heap_full: $(B)/small/tests/unit/test_heap_full.o $(small_obj)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) -lcmocka -lpthread

# The same for the collector's side of traces.
small_trace := -DPP_TRACE_GS_MAX=24 -DPP_TRACE_PS_MAX=4 -DPP_TRACE_OPEN_MAX=4 \
	-DPP_TRACE_NAMES_MAX=96 -DPP_TRACE_STACKS_MAX=256 \
	-DPP_TRACE_LOOP_WORDS=256 -DPP_TRACE_THREAD_WORDS=64
small_trace_obj := $(patsubst %.c,$(B)/small_trace/%.o,$(shared_src) \
	$(foreach one,profile merge cpu counts trace encode/trace,\
	$(wildcard $(core)/$(one)/*.c)) $(core)/encode/bytes/spool.c)

$(small_trace_obj): | $(B)/gen/perfetto.pb-c.c
$(B)/small_trace/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(small_trace) $(ALL_CFLAGS) -MMD -c -o $@ $<
$(B)/unit/test_trace_full: $(B)/small_trace/tests/unit/test_trace_full.o \
	$(small_trace_obj) $(B)/cold/gen/perfetto.pb-c.o
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) -lcmocka -lprotobuf-c -lm -lpthread
