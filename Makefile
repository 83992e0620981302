# kore-pprof. `make help` lists the targets.
.DEFAULT_GOAL := all
B ?= build
CC ?= cc
PROTOC_C ?= protoc-c

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
kore_src := $(wildcard middleware/kore/*.c)
cold_src := $(shared_src) $(wildcard $(core)/profile/*.c $(core)/symbol/*.c \
	$(core)/encode/*.c $(core)/service/*.c)
collector_src := $(wildcard $(core)/collector/*.c)

hot_obj := $(hot_src:%.c=$(B)/hot/%.o)
kore_obj := $(kore_src:%.c=$(B)/hot/%.o)
cold_obj := $(cold_src:%.c=$(B)/cold/%.o) $(B)/cold/gen/profile.pb-c.o
collector_obj := $(collector_src:%.c=$(B)/cold/%.o)

KORE_CFLAGS := -isystem /usr/include -isystem /usr/include/postgresql \
	-DKORE_USE_PGSQL -DKORE_USE_TASKS -Wno-deprecated-declarations
COLD_LIBS := -ldw -lelf -lprotobuf-c -lz -lpthread

.PHONY: all clean
all: $(B)/pprof.so $(B)/pprof-collector

$(B)/pprof.so: $(hot_obj) $(kore_obj)
	$(CC) -shared -o $@ $^ $(LDFLAGS) -Wl,-z,nodelete -Wl,-z,now \
	    -Wl,--build-id

$(B)/pprof-collector: $(collector_obj) $(B)/libcold.a
	$(CC) -o $@ $^ $(LDFLAGS) $(COLD_LIBS)

$(B)/libcold.a: $(cold_obj)
	rm -f $@ && ar rcs $@ $^
$(B)/libhot.a: $(hot_obj)
	rm -f $@ && ar rcs $@ $^

HOT_FLAGS := -fPIC -fvisibility=hidden -ftls-model=initial-exec
$(B)/hot/middleware/kore/%.o: middleware/kore/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(HOT_FLAGS) $(KORE_CFLAGS) -MMD -c -o $@ $<
$(B)/hot/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(HOT_FLAGS) -MMD -c -o $@ $<
$(B)/cold/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -c -o $@ $<
$(B)/cold/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c11 -O2 -g -w -c -o $@ $<

$(B)/gen/profile.pb-c.c: $(core)/encode/profile.proto
	@mkdir -p $(@D)
	$(PROTOC_C) --c_out=$(B)/gen -I$(core)/encode $<
$(B)/cold/$(core)/encode/%.o: $(B)/gen/profile.pb-c.c

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
