# kore-pprof. `make help` lists the targets.
.DEFAULT_GOAL := all
B ?= build
CC ?= cc
PROTOC_C ?= protoc-c
JOBS := $(shell nproc 2>/dev/null || echo 1)

# What must be there, as package=probe; see .ci/deps.
need_build := gcc=cc libc6-dev=stdlib.h kore=kodev kore=kore/kore.h \
	libssl-dev=openssl/ssl.h libpq-dev=libpq-fe.h \
	libdw-dev=elfutils/libdwfl.h libelf-dev=libelf.h zlib1g-dev=zlib.h \
	libprotobuf-c-dev=protobuf-c/protobuf-c.h \
	protobuf-c-compiler=protoc-c libmicrohttpd-dev=microhttpd.h \
	libunwind8=libunwind.so.8 \
	libzydis-dev=Zydis/Zydis.h
need_check := clang=clang clang-format=clang-format \
	universal-ctags=ctags libcmocka-dev=cmocka.h
need_fuzz := libclang-rt-14-dev=/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a
need_deb := debhelper=dh dpkg-dev=dpkg-buildpackage lintian=lintian
need_arm64 := gcc-aarch64-linux-gnu=aarch64-linux-gnu-gcc \
	libc6-dev-arm64-cross=/usr/aarch64-linux-gnu/include/stdlib.h
need_test := $(need_check) $(need_fuzz) $(need_deb) $(need_arm64) \
	mandoc=mandoc man-db=man pkgconf=pkg-config mount=mount \
	golang-go=go panicparse=panicparse g++=c++ \
	libjemalloc2=libjemalloc.so.2 \
	libtcmalloc-minimal4=libtcmalloc_minimal.so.4 \
	python3=python3 curl=curl apache2-utils=ab wrk=wrk iproute2=ip \
	graphviz=dot libcurl4-openssl-dev=curl-config \
	openssl=openssl nodejs=node npm=npm chromium=chromium \
	nginx-light=nginx haproxy=haproxy systemd=systemd-analyze \
	postgresql-15=/usr/lib/postgresql/15/bin/postgres
need_bench := golang-go=go wrk=wrk python3=python3 curl=curl \
	nodejs=node npm=npm chromium=chromium \
	libgoogle-perftools4=libprofiler.so.0 libjemalloc2=libjemalloc.so.2 \
	linux-perf=perf

WARN := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual
CPPFLAGS += -D_GNU_SOURCE -Imiddleware/core -Imiddleware/include -I$(B)/gen
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c11 $(WARN) -fno-omit-frame-pointer $(CFLAGS)

core := middleware/core
# Hot: what runs inside the workers. Cold: what runs in the collector.
# base and store are in both.
shared_src := $(wildcard $(core)/base/*.c $(core)/store/*.c)
hot_src := $(shared_src) $(wildcard $(core)/capture/*.c $(core)/hook/*.c)
# Kore 4.1 or 4.2, by its headers: one of the two files that differ.
kore_api := $(if $(shell grep -sl kore_route_create \
	/usr/include/kore/kore.h),42,41)
conf_suffix := $(filter 42,$(kore_api))
kore_src := $(filter-out middleware/kore/abi%.c, \
	$(wildcard middleware/kore/*.c middleware/kore/*/*.c)) \
	middleware/kore/abi$(kore_api).c
cold_floors := profile merge cpu counts live trace symbol \
	$(addprefix encode/,bytes profile text trace) \
	$(addprefix service/,http endpoints doctor) service
cold_src := $(shared_src) $(wildcard $(cold_floors:%=$(core)/%/*.c))
collector_src := $(wildcard $(core)/collector/*.c)
app_src := $(wildcard kore_app/src/*.c)
unit_src := $(wildcard tests/unit/test_*.c)

hot_obj := $(hot_src:%.c=$(B)/hot/%.o)
kore_obj := $(kore_src:%.c=$(B)/hot/%.o)
cold_obj := $(cold_src:%.c=$(B)/cold/%.o) $(B)/cold/gen/profile.pb-c.o \
	$(B)/cold/gen/perfetto.pb-c.o
collector_obj := $(collector_src:%.c=$(B)/cold/%.o)
app_obj := $(app_src:%.c=$(B)/app/%.o)
unit_obj := $(unit_src:%.c=$(B)/cold/%.o)
unit := $(unit_src:tests/unit/%.c=$(B)/unit/%)
integration := $(sort $(wildcard tests/integration/test_*.py \
	tests/integration/test_*.sh))

# What the Kore was built with that the module is for; Debian's.
KORE_FEATURES := PGSQL TASKS
KORE_HEADERS := -isystem /usr/include
KORE_CFLAGS := -Imiddleware $(KORE_HEADERS) \
	-isystem /usr/include/postgresql \
	$(KORE_FEATURES:%=-DKORE_USE_%) -Wno-deprecated-declarations
COLD_LIBS := -ldw -lelf -lprotobuf-c -lz -lm -lpthread

checks := check-format check-floors check-size check-paths check-sigsafe \
	check-cycles check-names check-exports check-docs check-assets check-clang

.PHONY: all app objects unit check $(checks) test test-long bench \
	bench-quick bench-long run deps deps-test \
	deps-bench need-build need-check clean help
all: $(B)/pprof.so $(B)/pprof-collector

$(B)/pprof.so: $(hot_obj) $(kore_obj)
	$(CC) -shared -o $@ $^ $(LDFLAGS) -Wl,-z,nodelete -Wl,-z,now \
	    -Wl,--build-id

$(B)/pprof-collector: $(collector_obj) $(B)/libcold.a
	$(CC) -o $@ $^ $(LDFLAGS) $(COLD_LIBS) -lmicrohttpd

$(B)/libcold.a: $(cold_obj)
	rm -f $@ && ar rcs $@ $^
$(B)/libhot.a: $(hot_obj)
	rm -f $@ && ar rcs $@ $^

HOT_FLAGS := -fPIC -fvisibility=hidden -ftls-model=initial-exec
$(B)/hot/middleware/kore/%.o: middleware/kore/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(HOT_FLAGS) $(KORE_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/hot/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(HOT_FLAGS) -MMD -MP -c -o $@ $<
$(B)/cold/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/cold/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c11 $(CFLAGS) -w -c -o $@ $<

$(B)/gen/profile.pb-c.c: $(core)/encode/profile/profile.proto
$(B)/gen/perfetto.pb-c.c: $(core)/encode/trace/perfetto.proto
$(B)/gen/%.pb-c.c:
	@mkdir -p $(@D)
	$(PROTOC_C) --c_out=$(B)/gen -I$(<D) $<
# What includes the generated header waits for it.
$(filter $(B)/cold/$(core)/encode/%,$(cold_obj)) $(unit_obj): \
	| $(B)/gen/profile.pb-c.c $(B)/gen/perfetto.pb-c.c

# A missing package is named before the first compiler error is.
$(hot_obj) $(kore_obj) $(cold_obj) $(collector_obj) \
	$(B)/gen/profile.pb-c.c $(B)/gen/perfetto.pb-c.c: | need-build
need-build:
	@CC="$(CC)" .ci/deps check $(need_build)
need-check:
	@CC="$(CC)" .ci/deps check $(need_build) $(need_check)

include $(core)/service/http/assets.mk

# --- Tests ---------------------------------------------------------------

# A unit test is one program; it may use either side.
unit: $(unit)
$(B)/unit/%: $(B)/cold/tests/unit/%.o $(B)/libcold.a $(B)/libhot.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) -lcmocka $(COLD_LIBS)
.SECONDARY: $(unit_obj)
include tests/unit/small.mk
include tests/sanitize.mk
include tests/fuzz.mk
include tests/soak.mk

# The sample application as it is judged here; kodev builds what runs.
$(B)/app/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Ikore_app/src $(KORE_CFLAGS) -MMD -MP \
	    -c -o $@ $<
app: $(B)/kore_app_routes.conf | need-build
	cd kore_app && kodev build
$(B)/kore_app_routes.conf: conf/kore_app_routes$(conf_suffix).conf
	@mkdir -p $(@D)
	cp $< $@

objects: $(hot_obj) $(kore_obj) $(cold_obj) $(collector_obj) $(app_obj) \
	$(unit_obj)

check: $(checks)
check-format: | need-check
	sh tests/checks/format.sh
check-floors:
	sh tests/checks/floors.sh
check-size: | need-check
	sh tests/checks/size.sh
check-paths:
	sh tests/checks/paths.sh
check-sigsafe: $(hot_obj)
	sh tests/checks/sigsafe.sh $(B)/hot $(hot_src)
check-cycles: $(hot_obj) $(kore_obj) $(cold_obj) $(collector_obj)
	sh tests/checks/cycles.sh $(hot_obj) $(kore_obj) -- $(cold_obj) \
	    $(collector_obj)
check-names: $(hot_obj) $(kore_obj) $(cold_obj) $(collector_obj)
	sh tests/checks/names.sh $(hot_obj) $(kore_obj) -- $(cold_obj) \
	    $(collector_obj)
check-exports: $(B)/pprof.so
	sh tests/checks/exports.sh $<
check-docs:
	sh tests/checks/docs.sh
check-clang: | need-check
	$(MAKE) --no-print-directory -j$(JOBS) B=$(B)/clang CC=clang \
	    CFLAGS=-O0 objects

include tests/arm64/arm64.mk
include tests/sid/sid.mk

# Everything that the items of `test` need, built in one go.
.PHONY: everything variants go-tools
everything: all unit app variants go-tools
go-tools:
	@for tool in pprof trace; do \
	    go tool $$tool -h >/dev/null 2>&1 || true; done

# The module once more: for a Kore with CURL=1, and with rings and tables so
# small that they are full (and the collector, which shares them).
tiny := -DPP_TRACE_LOOP_WORDS=1024 -DPP_TRACE_THREAD_WORDS=256 \
	-DPP_INFLIGHT_MAX=64
variants:
	@$(MAKE) --no-print-directory B=$(B)/curl \
	    KORE_FEATURES="CURL PGSQL TASKS" $(B)/curl/pprof.so
	@$(MAKE) --no-print-directory B=$(B)/tiny \
	    CFLAGS="$(CFLAGS) $(tiny) -O0" all

# Newer Go toolchains build `go tool pprof` when it is first run: once for all
# tests, whatever home directory each gives it.
export GOCACHE ?= $(abspath $(B))/go-cache

# What drives the browser of the tests: by name and checksum from npm, into
# the build folder.
browser := $(B)/browser/node_modules/.package-lock.json
$(browser): tests/browser/package.json tests/browser/package-lock.json
	@mkdir -p $(B)/browser
	cp $^ $(B)/browser
	cd $(B)/browser && npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

include tests/some.mk

# Of the second tier, by their own word.
integration_long := $(shell grep -l '^\# long:' $(integration))

test: deps-test
	@$(MAKE) --no-print-directory $(browser)
	@$(MAKE) --no-print-directory -j$(JOBS) everything || \
	    { echo "0 passed, 1 failed"; exit 1; }
	@B=$(B) tests/run limit=300 \
	    $(checks:%=make=%) make=arm64 limit=900 make=sanitize \
	    limit=300 make=fuzz-short \
	    limit=60 packed=3 $(unit) \
	    limit=600 at_once=2 make=soak-short \
	    packed=4 $(filter-out $(integration_long),$(integration))

# The second tier: those, five minutes of load on all routes, profiled all the
# time, all of soak, and all tests under sanitizers.
test-long: deps-test
	@$(MAKE) --no-print-directory $(browser)
	@$(MAKE) --no-print-directory -j$(JOBS) everything
	@B=$(B) PPROF_TEST_LOAD_S=300 tests/long test-long \
	    tests/run limit=600 packed=3 $(integration_long) \
	    at_once=1 tests/integration/test_load.py \
	    limit=3600 make=soak make=asan make=ubsan make=tsan
	@B=$(B) tests/bench/run --long docs/bench.md

bench bench-quick: deps-bench
	@$(MAKE) --no-print-directory $(browser)
	@$(MAKE) --no-print-directory -j$(JOBS) all app
	@B=$(B) tests/bench/run \
	    $(if $(filter bench,$@),--write docs/bench.md,--quick)
bench-long:
	@B=$(B) tests/bench/run --long docs/bench.md

# --- Running and installing ----------------------------------------------

deps:
	@.ci/deps install $(need_build) curl=curl
deps-test:
	@.ci/deps install $(need_build) $(need_test) $(need_bench)
deps-bench:
	@.ci/deps install $(need_build) $(need_bench)

define run_text

  The sample application is at http://127.0.0.1:6060/ with 2 workers, its
  profiler at http://127.0.0.1:6060/debug/pprof/. Stop it with ctrl-c.

  In another terminal, give it something to do:
    ab -k -c 8 -n 100000 "http://127.0.0.1:6060/fib/?n=50&type=recursive"
    curl "http://127.0.0.1:6060/concat/?str=kore&count=1000"

  and see where the CPU goes:
    go tool pprof -top "http://127.0.0.1:6060/debug/pprof/profile?seconds=5"
    curl -o cpu.pb.gz "http://127.0.0.1:6060/debug/pprof/profile?seconds=5"

  (ab: apt-get install apache2-utils; go: apt-get install golang-go)

endef
export run_text

run: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all app
	@echo "$$run_text"
	@cd kore_app && exec kodev run

include middleware/install.mk

clean:
	rm -rf $(B) kore_app/.objs kore_app/.flavor kore_app/kore_app.so

help:
	@echo "make            build $(B)/pprof.so and $(B)/pprof-collector"
	@echo "make run        install what is missing, build, start the sample"
	@echo "                application on 127.0.0.1:6060"
	@echo "make test       install what is missing, build, run the tests"
	@echo "make quick      checks, unit tests, one Kore asked for each endpoint:"
	@echo "                nothing is installed"
	@echo "make t=heap     the tests that have heap in their names"
	@echo "make check      format, floors, cycles, names, sizes, paths, signal"
	@echo "                safety, exported symbols, clang"
	@echo "make test-long  what takes longer than \`make test\` may: packages, the"
	@echo "                pages' states, load and abuse for minutes, sanitizers;"
	@echo "                docs/bench.md says when and where it was last green"
	@echo "make asan, ubsan, tsan   the tests under a sanitizer"
	@echo "make fuzz SECONDS=300    hostile input, each target for so long"
	@echo "make soak MINUTES=10     storms, kills, reloads, limits, refused calls"
	@echo "make bench      measure, print ratios, write docs/bench.md"
	@echo "make bench-quick  the same in a few minutes, nothing is written"
	@echo "make bench-long   into docs/bench.md, how the long targets went"
	@echo "make deps       install what building and running need"
	@echo "make deps-test  install what the tests need as well"
	@echo "make install    put it below DESTDIR and PREFIX ($(PREFIX))"
	@echo "make uninstall  take that away again"
	@echo "make test-sid   build and test in a root of Debian sid"
	@echo "make test-arm64 the same for aarch64, under qemu-user"
	@echo "make deb        Debian packages, in $(B)/deb"
	@echo "make clean      remove what was built"

# The roots of other systems have files of that name, too.
-include $(shell find $(B) -name root -prune -o -type f -name '*.d' -print 2>/dev/null)
