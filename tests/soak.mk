# What can go wrong while a service runs: storms of signals, kills, reloads and
# hang-ups, full disks, limits that are reached, system calls that are refused;
# and what may not go wrong in an application that does everything.
#
#	make soak MINUTES=10	every scenario, in proportion to the time
#	make soak MINUTES=60 SCENARIOS=guest	all of it for one of them
#	make soak-short		what `make test` runs: those below, of signals, of
#				refused calls and of the application
#
# Each scenario is a file of tests/soak/ and prints one line.

MINUTES ?= 10
soak_short := storm memory deny guest

.PHONY: soak soak-short soak-build
soak-build: all
soak: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) soak-build
	@B=$(B) $(if $(SCENARIOS),,tests/long soak) \
	    python3 tests/soak/run.py $(MINUTES) $(SCENARIOS)
soak-short: soak-build
	@B=$(B) python3 tests/soak/run.py short $(soak_short)
