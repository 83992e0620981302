# The tests under the sanitizers of the compiler, each in a build of its own:
#
#	make asan	addresses, leaks and undefined behaviour: unit tests,
#			then real Kores with this pprof.so and this collector,
#			chroot and seccomp as always
#	make ubsan	undefined behaviour alone, which leaves malloc() and
#			signals as they are: all unit tests, then the same; a
#			finding is a trap
#	make tsan	data races: what several threads write
#	make sanitize	what of these `make test` runs
#
# What is found ends the program, so the test that ran it fails.

asan_flags := -fsanitize=address,undefined -fno-sanitize-recover=undefined
asan_make = $(MAKE) --no-print-directory B=$(B)/asan SANITIZE=asan \
	CFLAGS="-O1 -g -DPP_SANITIZED $(asan_flags)" LDFLAGS="$(asan_flags)"
ubsan_make = $(MAKE) --no-print-directory B=$(B)/ubsan CFLAGS="-O1 -g \
	-fsanitize=undefined -fsanitize-undefined-trap-on-error"
tsan_make = $(MAKE) --no-print-directory B=$(B)/tsan \
	CFLAGS="-O1 -g -fsanitize=thread -Wno-tsan" LDFLAGS="-fsanitize=thread"

# A block that is too large must fail, not end the test. With an alternate
# signal stack, the end of a thread whose frames were left by a longjmp is
# taken for an overflow.
export ASAN_OPTIONS ?= allocator_may_return_null=1:use_sigaltstack=0

# Unit tests that cannot run under AddressSanitizer, and why. All of them run
# under `make ubsan`.
#
# test_capture		asserts in which function 98% of the samples are: some
#			are inside the sanitizer
# test_heap		counts what malloc() is called for: the sanitizer's
#			malloc() is bound elsewhere
# test_heap_quiet	brings a malloc() of its own
# test_heap_rate	allocates 10 million times: more than 5 minutes
# test_locks		compares times of waits with what they must be
# test_whole		the sanitizer's own recv() and write() stand between, and
#			the call is not known by its place on the stack
asan_without := test_capture test_heap test_heap_quiet test_heap_rate \
	test_locks test_whole
asan_unit = $(filter-out $(asan_without:%=$(B)/asan/unit/%), \
	$(unit:$(B)/%=$(B)/asan/%))

# What several threads write without a lock, and what reads it. Not these:
#
# test_custom, test_heap_threads, test_capture, test_heap_full, test_heap_quiet,
# test_locks, test_contention	write over the call table of libc: its malloc()
#			and locks then arrive here before the sanitizer knows the
#			thread, or after it forgot it, and it crashes
# test_sleeps, test_calls	the same
# test_trace_capture	libunwind gives back what it keeps for a thread under a
#			lock, when the sanitizer has forgotten the thread: it
#			crashes. The rings that it writes are test_trace_ring's
# test_dump		of signals, which the sanitizer delivers late
# all others		are of one thread, as the collector is
tsan_short := $(addprefix $(B)/tsan/unit/,test_ring test_trace_ring \
	test_thread_life \
	test_intern test_labels)
tsan_unit := $(tsan_short) $(B)/tsan/unit/test_activity

# Integration tests that say nothing more of a sanitized program, and why:
#
# test_browser*		of the pages' scripts; what they ask of C code,
#			test_live, test_http and test_trace* ask as well
# test_deb, test_install, test_contributing	of what make builds by itself,
#			without a sanitizer
# test_checks, test_docs, test_scrape_conf	of texts
# test_tracefile	of a reader in Python
#
# And under AddressSanitizer alone:
#
# test_exports		of the libraries that pprof.so needs
integration_without := $(wildcard tests/integration/test_browser*.py) \
	$(addprefix tests/integration/,test_deb.py test_install.py \
	test_contributing.py test_checks.sh test_docs.sh test_scrape_conf.py test_tracefile.py)
ubsan_integration := $(filter-out $(integration_without),$(integration))
asan_integration := $(filter-out tests/integration/test_exports.py, \
	$(ubsan_integration))

# In Kore it is preloaded: what a module brings comes too late.
asan_preload = $(shell $(CC) -print-file-name=libasan.so):$(abspath \
	$(B)/asan/kore.so)

ifeq ($(SANITIZE),asan)
$(B)/pprof-collector: $(B)/cold/tests/sanitize/collector.o
endif

.PHONY: asan ubsan tsan sanitize asan-build ubsan-build tsan-build
asan-build:
	@$(asan_make) -j$(JOBS) all unit variants
	@$(CC) -g -shared -fPIC -o $(B)/asan/kore.so tests/sanitize/kore.c \
	    -Wl,--no-as-needed -lstdc++
ubsan-build:
	@$(ubsan_make) -j$(JOBS) all unit variants
tsan-build:
	@$(tsan_make) -j$(JOBS) $(tsan_unit)

asan: deps-test asan-build
	@B=$(B) tests/long asan env B=$(B)/asan \
	    PPROF_TEST_PRELOAD="$(asan_preload)" tests/run limit=300 \
	    at_once=$(JOBS) $(asan_unit) limit=900 \
	    packed=2 $(asan_integration)
ubsan: deps-test ubsan-build
	@B=$(B) tests/long ubsan env B=$(B)/ubsan tests/run limit=300 \
	    $(unit:$(B)/%=$(B)/ubsan/%) limit=900 \
	    packed=3 $(ubsan_integration)
tsan: deps-test tsan-build
	@B=$(B) tests/long tsan env B=$(B)/tsan tests/run limit=300 $(tsan_unit)

# The short form, one item of `make test`.
sanitize: tsan-build
	@$(asan_make) -j$(JOBS) $(B)/asan/pprof-collector $(asan_unit)
	@B=$(B)/asan tests/run limit=180 at_once=$(JOBS) $(asan_unit)
	@B=$(B)/tsan tests/run limit=60 at_once=$(JOBS) $(tsan_short)
