# What hostile input can do: libFuzzer with the sanitizers, over the readers of
# the collector. A target is tests/fuzz/fuzz_<name>.c.
#
#	make fuzz SECONDS=300	each target for so long, from the inputs in
#				tests/fuzz/corpus/ and those found before
#	make fuzz-short		what `make test` runs: those inputs again, then
#				5 s each
#	make fuzz-keep		of what was found, what covers more than the
#				corpus does goes into it: small inputs, and no
#				more than 100 a target
#
# An input that crashes is in $(B)/fuzz/found/; what is mended goes into the
# corpus as crash-*. Tables are small, so that full ones are met.

SECONDS ?= 60
fuzz_src := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_names := $(fuzz_src:tests/fuzz/fuzz_%.c=%)
fuzz_bin := $(fuzz_names:%=$(B)/fuzz_%)
fuzz_limits := -DPP_THREADS_MAX=4 -DPP_CPU_RING_WORDS=1024 \
	-DPP_TRACE_LOOP_WORDS=512 -DPP_TRACE_THREAD_WORDS=128 \
	-DPP_LABEL_WORDS=256 -DPP_LABEL_INDEX=64 -DPP_STACK_WORDS=1024 \
	-DPP_STACK_INDEX=64 -DPP_HEAP_COUNTERS=32 -DPP_HEAP_INDEX=64 \
	-DPP_WAIT_COUNTERS=16 -DPP_WAIT_INDEX=32 -DPP_INFLIGHT_MAX=16 \
	-DPP_ROUTES_MAX=8 -DPP_OBJECTS_MAX=16 -DPP_SESSIONS_MAX=8 \
	-DPP_SESSION_SAMPLES_MAX=1024 -DPP_SESSION_WORDS_MAX=65536 \
	-DPP_TRACE_GS_MAX=256 -DPP_TRACE_PS_MAX=16 -DPP_TRACE_OPEN_MAX=64 \
	-DPP_TRACE_NAMES_MAX=256 -DPP_TRACE_STACKS_MAX=256 \
	-DPP_TREE_NODES_MAX=4096
fuzz_sanitize := address,undefined
fuzz_make = $(MAKE) --no-print-directory B=$(B)/fuzz CC=clang CFLAGS="-O1 -g \
	-fsanitize=fuzzer-no-link,$(fuzz_sanitize) -Itests/unit -Itests/fuzz \
	-fno-sanitize-recover=undefined -DPP_SANITIZED $(fuzz_limits)"

.SECONDARY: $(fuzz_src:%.c=$(B)/cold/%.o)
$(fuzz_src:%.c=$(B)/cold/%.o): | $(B)/gen/profile.pb-c.c \
	$(B)/gen/perfetto.pb-c.c
$(B)/fuzz_%: $(B)/cold/tests/fuzz/fuzz_%.o \
	$(filter-out %/main.o,$(collector_obj)) $(B)/libcold.a
	clang -o $@ $^ -fsanitize=fuzzer,$(fuzz_sanitize) \
	    -Wl,--wrap=kill,--wrap=clock_gettime -lcmocka $(COLD_LIBS) \
	    -lmicrohttpd
# The targets that do not turn the clock have nothing to wrap it with.
$(B)/fuzz_allow $(B)/fuzz_query $(B)/fuzz_encode $(B)/fuzz_elf \
$(B)/fuzz_reply: $(B)/fuzz_%: \
	$(B)/cold/tests/fuzz/fuzz_%.o $(B)/libcold.a
	clang -o $@ $^ -fsanitize=fuzzer,$(fuzz_sanitize) -lcmocka $(COLD_LIBS)

.PHONY: fuzz fuzz-short fuzz-keep fuzz-build fuzz-all
fuzz-all: $(fuzz_bin)
fuzz-build: | need-check
	@$(fuzz_make) -j$(JOBS) fuzz-all
fuzz: deps-test fuzz-build
	@B=$(B) tests/long fuzz env B=$(B)/fuzz \
	    tests/fuzz/run $(SECONDS) $(fuzz_names)
fuzz-short: fuzz-build
	@B=$(B)/fuzz tests/fuzz/run 5 $(fuzz_names)
fuzz-keep: fuzz-build
	@B=$(B)/fuzz tests/fuzz/keep $(fuzz_names)
