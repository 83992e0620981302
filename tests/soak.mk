# What can go wrong while a service runs: storms of signals, kills, reloads and
# hang-ups, full disks, limits that are reached, system calls that are refused.
#
#	make soak MINUTES=10	every scenario, in proportion to the time
#	make soak-short		what `make test` runs
#
# Each scenario is a file of tests/soak/ and prints one line.

MINUTES ?= 10

.PHONY: soak soak-short soak-build
soak-build: all
soak: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) soak-build
	@B=$(B) python3 tests/soak/run.py $(MINUTES)
soak-short: soak-build
	@B=$(B) python3 tests/soak/run.py short
