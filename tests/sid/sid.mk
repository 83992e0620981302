# The suite in a root of Debian's newest packages: another Kore, libc, compiler,
# unwinder and Go. Not in `make test`: it fetches about a gigabyte.
sid_leave := libzydis4.0=% postgresql-15=% libclang-rt-14-dev=%
sid_packages := $(sort $(foreach p,$(filter-out $(sid_leave),$(need_build) \
	libcmocka-dev=x libcurl4-openssl-dev=x dpkg-dev=x golang-go=x \
	panicparse=x g++=x python3=x curl=x apache2-utils=x wrk=x \
	iproute2=x openssl=x postgresql=x make=x mandoc=x \
	man-db=x pkgconf=x binutils=x ca-certificates=x \
	graphviz=x libjemalloc2=x libtcmalloc-minimal4t64=x),$(firstword \
	$(subst =, ,$(p)))))

# SID_ITEMS="limit=300 tests/integration/test_x.py" runs that alone.
.PHONY: test-sid
test-sid:
	@.ci/deps install debootstrap=debootstrap util-linux=unshare
	@SID_PACKAGES='$(sid_packages)' B='$(B)' \
	    SID_INTEGRATION='packed=3 $(integration)' \
	    $(if $(SID_ITEMS),,tests/long test-sid) sh tests/sid/run.sh '$(B)/sid' $(SID_ITEMS)
