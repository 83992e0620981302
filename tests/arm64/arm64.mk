# The product for aarch64, by Debian's cross compiler. Entry patches are left
# out there (hook/entry.h): kore's own allocations are seen of modules only.

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
