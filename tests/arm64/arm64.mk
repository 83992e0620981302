# The product for aarch64, by Debian's cross compiler. Entry patches are left
# out there (hook/entry.h): kore's own allocations are seen of modules only.
#
#	make arm64	compile it; a part of `make test`
#	make test-arm64	link it with Debian's libraries for arm64, and run the
#			unit tests and a Kore with it under qemu-user; not in
#			`make test`: it fetches about 70 MB and takes minutes

# This machine's headers stand behind the compiler's own: those of Kore and of
# the libraries are the same for both processors.
arm64_cc := aarch64-linux-gnu-gcc -idirafter /usr/include \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)

.PHONY: arm64 arm64-objects
# The module is linked as well; it needs no library but libc. The collector's
# libraries for aarch64 are not here: its objects, and no program.
arm64: | need-arm64
	$(MAKE) --no-print-directory -j$(JOBS) B=$(B)/arm64 CC='$(arm64_cc)' \
	    KORE_HEADERS= arm64-objects
arm64-objects: $(B)/pprof.so $(cold_obj) $(collector_obj)
	aarch64-linux-gnu-readelf -h $< | grep -q AArch64
.PHONY: need-arm64
need-arm64:
	@CC="$(CC)" .ci/deps check $(need_build) $(need_arm64)

# Unit tests that cannot run under qemu-user 7.2, and why:
#
# test_collector	looks for its seccomp filter, which qemu refuses
# test_entry		patches instructions of x86-64
# test_heap_quiet	of seccomp filters, which qemu refuses
# test_heap_rate	allocates 10 million times: more than 90 s
# test_locks		of robust mutexes, too: qemu tells nobody that an owner
#			has died, and it waits for ever
# test_sleeps		qemu does not write back what is left of a select()
#			that a signal ended, as Linux does: it never ends
# test_wire		qemu gives the kernel more room for descriptors than
#			the program has, and leaves open those beyond it
arm64_without := test_collector test_entry test_heap_quiet \
	test_heap_rate test_locks test_sleeps test_wire
arm64_packages := kore libc6-dev libdw-dev libelf-dev zlib1g-dev \
	libprotobuf-c-dev libmicrohttpd-dev libcmocka-dev libunwind8 \
	libssl-dev libpq-dev libstdc++6
need_test_arm64 := debootstrap=debootstrap curl=curl golang-go=go \
	qemu-user-static=qemu-aarch64-static \
	g++-aarch64-linux-gnu=aarch64-linux-gnu-g++ python3=python3 \
	libcmocka-dev=cmocka.h
.PHONY: test-arm64
test-arm64:
	@.ci/deps install $(need_build) $(need_arm64) $(need_test_arm64)
	@ARM64_PACKAGES='$(arm64_packages)' ARM64_WITHOUT='$(arm64_without)' \
	    tests/long test-arm64 sh tests/arm64/run.sh '$(B)/qemu-arm64'
