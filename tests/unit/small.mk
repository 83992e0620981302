# Tests of what happens when a table is full: the hot side and the test built
# once more, with small limits, into objects of their own.
small_limits := -DPP_HEAP_LIVE=64 -DPP_HEAP_ROWS=16 -DPP_HEAP_INDEX=32 \
	-DPP_STACK_WORDS=512 -DPP_STACK_INDEX=64
small_obj := $(hot_src:%.c=$(B)/small/%.o)

$(B)/small/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(small_limits) $(ALL_CFLAGS) $(HOT_FLAGS) -MMD -MP \
	    -c -o $@ $<
$(B)/unit/test_heap_full: $(B)/small/tests/unit/test_heap_full.o $(small_obj)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) -lcmocka -lpthread
