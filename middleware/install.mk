# `make install DESTDIR= PREFIX=` and `make uninstall` work from one list. What
# is built does not know the prefix: pprof.so finds its program from where
# pprof.so itself lies (kore/start/launch.c).
PREFIX ?= /usr/local
INSTALL ?= install
# The version has one place: the newest entry of the package's changelog.
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' conf/debian/changelog)

# The confs are in the form of the Kore for which this is built.
conf_routes := conf/pprof$(conf_suffix).conf
conf_production := conf/production$(conf_suffix).conf

# Each word is file=mode=place below the prefix.
installed := \
	$(B)/pprof.so=644=lib/kore/pprof.so \
	$(B)/pprof-collector=755=libexec/kore-pprof/pprof-collector \
	middleware/include/pprof.h=644=include/pprof.h \
	$(B)/kore-pprof.pc=644=share/pkgconfig/kore-pprof.pc \
	$(conf_routes)=644=share/kore-pprof/pprof.conf \
	$(conf_production)=644=share/kore-pprof/production.conf \
	docs/man/pprof.so.8=644=share/man/man8/pprof.so.8 \
	docs/man/pprof.h.3=644=share/man/man3/pprof.h.3
# These folders are ours alone, or we may have made them.
installed_dirs := lib/kore libexec/kore-pprof share/kore-pprof

target = $(DESTDIR)$(PREFIX)/$(word 3,$(subst =, ,$(1)))

.PHONY: install uninstall $(B)/kore-pprof.pc
# This file is always made again: it depends on PREFIX.
$(B)/kore-pprof.pc: conf/kore-pprof.pc.in
	@mkdir -p $(@D)
	sed 's,@PREFIX@,$(PREFIX),; s,@VERSION@,$(VERSION),' $< >$@

install: all $(B)/kore-pprof.pc
	$(foreach i,$(installed),$(INSTALL) -D \
	    -m $(word 2,$(subst =, ,$(i))) $(word 1,$(subst =, ,$(i))) \
	    '$(call target,$(i))' &&) true

uninstall:
	rm -f $(foreach i,$(installed),'$(call target,$(i))')
	-@rmdir --ignore-fail-on-non-empty \
	    $(installed_dirs:%='$(DESTDIR)$(PREFIX)/%') 2>/dev/null

# --- Debian packages -------------------------------------------------------
# The tree as Debian wants it, with debian/ at its top, is put together in the
# build folder. Neither the tree's place nor the times and rights of its files
# get into the packages: all files are as old as the changelog's newest entry.
DEB := $(B)/deb
deb_tree := $(DEB)/kore-pprof-$(VERSION)
deb_parts := Makefile README.md .ci assets conf docs kore_app/src middleware \
	tests
deb_date = $(shell sed -n 's/^ -- .*>  //p' conf/debian/changelog | head -1)

.PHONY: deb deps-deb
deb: | need-build
	rm -rf $(DEB)
	mkdir -p $(deb_tree)
	tar -c --exclude=__pycache__ $(deb_parts) | tar -x -C $(deb_tree)
	mv $(deb_tree)/conf/debian $(deb_tree)/debian
	mkdir $(deb_tree)/conf/debian
	cp $(deb_tree)/debian/changelog $(deb_tree)/conf/debian
	chmod -R u=rwX,go=rX $(deb_tree)
	find $(deb_tree) -exec touch -h -d '$(deb_date)' {} +
	cd $(deb_tree) && umask 022 && \
	    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u B \
	    dpkg-buildpackage -us -uc -j$(JOBS)
	@ls $(DEB)/*.deb
deps-deb:
	@.ci/deps install $(need_build) $(need_deb)
