#!/bin/sh
# needs: a core, 172 s
# tests/checks/docs.sh itself: on a copy of this tree it must name each small
# sin. That the tree as it is has none is `make check`'s to say.
cd "$(dirname "$0")/../.." || exit 2
copy=$(mktemp -d) || exit 2
trap 'rm -rf "$copy"' EXIT
cp -R Makefile README.md .ci conf assets docs middleware tests "$copy" &&
	mkdir "$copy/kore_app" && cp -R kore_app/src "$copy/kore_app" || exit 2
cd "$copy" || exit 2
failed=0

# catches TEXT: the check must fail and say so.
catches() {
	if said=$(sh tests/checks/docs.sh 2>&1); then
		echo "not caught: $1"
		failed=1
	elif ! echo "$said" | grep -qF -- "$1"; then
		echo "expected \"$1\", got: $said"
		failed=1
	fi
}

# sin FILE SED-SCRIPT TEXT: for a moment, FILE is changed.
sin() {
	cp "$1" kept || exit 2
	sed "$2" kept >"$1"
	cmp -s "$1" kept && { echo "$1: nothing was changed"; failed=1; }
	catches "$3"
	mv kept "$1"
}
# more FILE TEXT ERROR: for a moment, FILE has one more line.
more() {
	cp "$1" kept || exit 2
	printf '%s\n' "$2" >>"$1"
	catches "$3"
	mv kept "$1"
}

core=middleware/core
sin docs/formats.md 's/`format=svg`/svg/g' 'format=svg is missing'
sin docs/operations.md 's/`PPROF_ALLOW`/PPROF_ALLOW/g' \
	'option PPROF_ALLOW is missing'
sin middleware/kore/start/launch.c 's/"PPROF_COLLECTOR"/"PPROF_NEW"/' \
	'option PPROF_NEW is missing'
sin middleware/kore/start/launch.c 's/"PPROF_COLLECTOR/"PPROF_NEW/' \
	'PPROF_COLLECTOR is named, but is no option'
sin docs/man/pprof.so.8 '/^.It Ev PPROF_ALLOW$/d' \
	'pprof.so.8: option PPROF_ALLOW is missing'
sin docs/man/pprof.h.3 '/^.It Bq Er EIO$/d' \
	'docs/man/pprof.h.3 differ: pprof_write EIO'
sin middleware/include/pprof.h 's/ENOMEM/ENFILE/' \
	'docs/man/pprof.h.3 differ: pprof_profile_new ENFILE'
sin docs/man/pprof.h.3 '/^.Fn pprof_write /d' \
	'pprof.h.3: function pprof_write is missing'
sin docs/formats.md 's/`rings_repaired`/rings/' \
	'comment rings_repaired is missing'
sin docs/formats.md 's/`hz_actual`/hz/' 'comment hz_actual is missing'
sin $core/base/loss.h 's/REPAIRED, "rings_/REPAIRED, "lanes_/' \
	'comment lanes_repaired is missing'
sin docs/design.md 's/| `core.symbol` | base store/| `core\/symbol` | base/' \
	'floor core/symbol may include: base store profile'
sin tests/checks/floors.sh 's/^core.base$/& store/' \
	'floor core/base may include: store'
more docs/design.md '`pp_self_dance()`' 'pp_self_dance is nowhere in the code'
more docs/design.md '`PP_DANCES_MAX`' 'PP_DANCES_MAX is nowhere in the code'
more docs/data-path.md '(`store/dance.c`)' 'there is no file store/dance.c'
more $core/base/buf.h '/* As pp_self_dance() does. */' \
	'base/buf.h: a comment names pp_self_dance, which is nowhere'
more $core/base/buf.h '/* See store/dance.h. */' \
	'base/buf.h: a comment names store/dance.h, which is no file'
more $core/base/buf.h '/* See dance.c, and <dance.h>. */' \
	'base/buf.h: a comment names dance.c, which is no file'
more README.md '[x](docs/dance.md)' 'the link to docs/dance.md is dead'
more docs/design.md '[x](formats.md#dances)' \
	'formats.md#dances: there is no such heading'
sin docs/design.md '/0006-one-thread/d' 'no link to docs/decisions/0006-one-thread'
sin docs/operations.md 's/| 524288 |/| 524287 |/' \
	'operations.md: PPROF_HEAP_RATE is 0 (off) to 1073741824, 524288'
sin middleware/core/base/limits.h 's/PP_STALL_MS_MAX.*/PP_STALL_MS_MAX 7/' \
	'pprof.so.8: PPROF_STALL_MS is 0 to 7, 1000 at first'
sin README.md 's/1 to 10000/1 to 1000/' 'hz=` | 1 to 10000 | 100 is not in it'
sin README.md 's/| 19 |/| 20 |/' 'README.md: PPROF_RECORDER_HZ is 19'
sin $core/service/endpoints/named.c 's/"gc")/"dance")/' \
	'no document has the parameter dance='
sin docs/man/pprof.so.8 's,^.It Pa /stalls,.It Pa /dance,' \
	'pprof.so.8: endpoint /stalls is missing'
sin conf/debian/changelog '1s/(/(1:/' 'changes.md: no heading of version 1:'
sin tests/bench/long_runs.py 's/"soak"/"dance"/' \
	"no last run of make dance, nor 'not run'"

# An endpoint that no document has, and one that they have no more.
sed -i 's/^const size_t pp_endpoints_count/\t{ .name = "dance" },\n&/' \
	$core/service/endpoints.c
catches 'no document has the endpoint `/dance`'
for file in README.md docs/*.md; do
	sed -i 's,`/cmdline`,cmdline,g' "$file"
done
catches 'no document has the endpoint `/cmdline`'
# The check says so when it can no longer read the table.
: >$core/service/endpoints.c
catches 'found no endpoints'

[ $failed = 0 ] && echo "every sin was caught"
exit $failed
