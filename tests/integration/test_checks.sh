#!/bin/sh
# needs: a core, 10 s
# The checks themselves: each must pass on a copy of this tree and catch one
# small sin in it. (check-clang is a compiler's, check-format clang-format's.)
cd "$(dirname "$0")/../.." || exit 2
copy=$(mktemp -d) || exit 2
trap 'rm -rf "$copy"' EXIT
cp -R Makefile README.md .ci .clang-format conf docs assets middleware tests kore_app "$copy" ||
	exit 2
cd "$copy" || exit 2
failed=0

# says TEXT COMMAND...: the command must fail and say so.
says() {
	text=$1
	shift
	if said=$("$@" 2>&1); then
		echo "not caught: $text"
		failed=1
	elif ! echo "$said" | grep -qF -- "$text"; then
		echo "expected \"$text\", got: $said"
		failed=1
	fi
}

passes() {
	said=$("$@" 2>&1) && return
	echo "$* fails on the tree as it is: $said"
	failed=1
}

# with FILE TEXT: FILE and one more line, until `undo`.
with() {
	changed=$1
	kept=
	if [ -f "$1" ]; then kept=$(mktemp) && cp "$1" "$kept"; fi
	mkdir -p "$(dirname "$1")"
	printf '%s\n' "$2" >>"$1"
}
undo() {
	if [ -n "$kept" ]; then mv "$kept" "$changed"; else rm "$changed"; fi
}

core=middleware/core
floors="sh tests/checks/floors.sh"
passes $floors
with $core/store/ring_put.c '#include "capture/sampler.h"'
says "must not include capture/sampler.h" $floors; undo
with $core/base/buf.c '#	include "store/ring.h"'
says "must not include store/ring.h" $floors; undo
with $core/cpu/cpu.c '#include "capture/sampler.h"'
says "must not include capture/sampler.h" $floors; undo
with $core/profile/tree.c '#include "merge/address_map.h"'
says "must not include merge/address_map.h" $floors; undo
with $core/encode/text/top.c '#include "live/activity.h"'
says "must not include merge/resolve.h, which live/activity.h brings" $floors; undo
with $core/encode/text/top.c '#include "encode/profile/svg.h"'
says "must not include encode/profile/svg.h" $floors; undo
with $core/service/http/query.c '#include "profile/profile.h"'
says "must not include profile/profile.h" $floors; undo
with $core/service/service.c '#include "hook/got.h"'
says "must not include hook/got.h" $floors; undo
with $core/capture/unwind.c '#include <kore/kore.h>'
says "core/ must not include Kore" $floors; undo
with $core/store/ring_put.c '#include "ring.h"'
says "without its floor" $floors; undo
with middleware/kore/routes/stream.c '#include "kore/request/inflight_table.h"'
says "must not include kore/request/inflight_table.h" $floors; undo
with middleware/kore/start/module.c '#include "symbol/symbols.h"'
says "must not include symbol/symbols.h" $floors; undo
with $core/cellar/new.c '#include "base/buf.h"'
says "is no floor" $floors; undo

size="sh tests/checks/size.sh"
passes $size
with $core/base/new.c "$(yes '/* more */' | head -401)"
passes $size
echo "$said" | grep -qF "warning: $core/base/new.c: 401 lines (400)" || {
	echo "no warning of 401 lines: $said"
	failed=1
}
undo
with $core/base/new.c "$(yes '/* more */' | head -601)"
says "new.c: 601 lines (600)" $size; undo
with $core/base/long.c "$(echo 'int f(int x)'; echo '{'
	yes '	x++;' | head -60; echo '	return (x);'; echo '}')"
says "f() is 64 lines (60)" $size; undo

paths="sh tests/checks/paths.sh"
passes $paths
with conf/kore_app.conf "load /ho""me/me/pprof.so"
says "kore_app.conf" $paths; undo
with README.md "in /wo""rk/tree"
says "README.md" $paths; undo

assets="make -s B=built check-assets"
passes $assets
with assets/new.js '/* What it is. */'
says "new.js: in no script" $assets; undo
with assets/list.js 'import { view } from "./viewer.js";'
says "viewer.js does not stand before it" $assets; undo
with assets/flame.js 'import view from "./viewer.js";'
says "an import that is not understood" $assets; undo
with assets/flame.js 'export { build as other };'
says "an export that is not understood" $assets; undo

# Each is a file of a signal handler but the last.
mark='/* Hot: signal handlers run what is in this file. */'
mkdir -p capture store
{ echo "$mark"; cat <<'C'; } >capture/hot.c
extern int seen;
int put(int);
int tick(int);
int tick(int x) { return (put(x) + seen); }
C
{ echo "$mark"; cat <<'C'; } >store/put.c
#include <string.h>
int put(int);
int put(int x) { char c[64]; memset(c, x, 64); return (c[x & 63]); }
C
{ echo "$mark"; cat <<'C'; } >bad.c
#include <stdlib.h>
__thread int mine;
void *tock(void);
void *tock(void) { mine++; return (malloc(9)); }
C
echo 'int seen; int other(void); int other(void) { return (1); }' >other.c
for file in capture/hot store/put bad other; do
	cc -O2 -fPIC -fno-builtin -c -o $file.o $file.c || exit 2
done
sigsafe="sh tests/checks/sigsafe.sh . capture/hot.c store/put.c"
passes $sigsafe other.c
says "seen" $sigsafe
says "malloc" $sigsafe bad.c other.c
says "__tls_get_addr" $sigsafe bad.c
says "no file of the floor store begins with $mark" \
    sh tests/checks/sigsafe.sh . capture/hot.c other.c
with store/put.c ''
sed -i 1d store/put.c
says "no file of the floor store begins with" $sigsafe other.c; undo

# Three that need each other in a circle, one that only needs them.
for pair in "one two" "two three" "three one" "above one"; do
	# shellcheck disable=SC2086
	set -- $pair
	echo "int $1(void); int $2(void); int $1(void) { return ($2()); }" >"$1.c"
	cc -c "$1.c" || exit 2
done
cycles="sh tests/checks/cycles.sh"
passes $cycles above.o one.o two.o
says "cycle of 3: one three two" $cycles above.o one.o two.o three.o
passes $cycles above.o one.o two.o -- two.o three.o
says "cycle of 3: one three two" $cycles above.o -- one.o three.o two.o
says "no objects" $cycles

# One word for two floors, a word that nothing explains, one name twice.
mkdir -p made/middleware/core/base made/middleware/core/cpu
for pair in "base buf" "cpu buf" "cpu dance"; do
	# shellcheck disable=SC2086
	set -- $pair
	echo "int pp_$2_x;" >"$2.c"
	cc -c -o "made/middleware/core/$1/$2.o" "$2.c" || exit 2
done
names="sh tests/checks/names.sh" made=made/middleware/core
passes $names $made/base/buf.o
says "pp_buf_: on the floors base and cpu" $names $made/base/buf.o -- $made/cpu/buf.o
says "pp_dance_: no file of cpu begins so" $names $made/base/buf.o $made/cpu/dance.o
with $core/cpu/buf.c '/* What it is. */'
says "buf.c: two files have this name" $names $made/base/buf.o; undo
says "no objects" $names

echo 'int pprof_x(void); int pprof_x(void) { return (1); }' >so.c
cc -shared -fPIC -o good.so so.c || exit 2
passes sh tests/checks/exports.sh good.so
cc -shared -fPIC -o loud.so so.c other.c || exit 2
says "other" sh tests/checks/exports.sh loud.so
cc -shared -fPIC -o linked.so so.c -Wl,--no-as-needed -lz || exit 2
says "libz" sh tests/checks/exports.sh linked.so
says "exports nothing" sh tests/checks/exports.sh \
    "$(cc -shared -fPIC -o empty.so -xc /dev/null && echo empty.so)"

# The runner: its last line counts, and its status follows.
mkdir -p built && printf 'exit 0\n' >yes.sh && printf 'exit 3\n' >no.sh
says "1 passed, 2 failed" env B=built bash tests/run limit=1 \
    ./yes.sh ./no.sh /bin/sleep
passes env B=built bash tests/run ./yes.sh
says "stopped after" env B=built bash tests/run limit=1 ./slow.sh \
    "$(echo 'sleep 5' >slow.sh; echo ./slow.sh)"

# A test says what it needs, and the runner puts it in order by that.
for test in "one alone, 9 s" "two sleeps, 7 s" "three a core, 5 s" "four alone, 40 s"; do
	echo "# needs: ${test#* }" >"${test%% *}.sh"
done
order=$(B=built bash tests/run order packed=3 one.sh two.sh three.sh four.sh \
    limit=9 packed=2 two.sh at_once=4 yes.sh |
	sed 's/ at once, / /; s/ s: / /' | tr '\n' ' ')
[ "$order" = "2 60 three.sh 3 60 two.sh 1 60 four.sh 1 60 one.sh \
2 9 two.sh 4 9 yes.sh " ] || {
	echo "a wrong order: $order"
	failed=1
}
says 'yes.sh: "# needs: ": a test says "alone", "a core" or "sleeps"' \
    env B=built bash tests/run packed=3 one.sh yes.sh
echo "# needs: a browser, 3 s" >wrong.sh
says 'wrong.sh: "# needs: a browser, 3 s": a test says "alone"' \
    env B=built bash tests/run packed=3 wrong.sh one.sh
passes env B=built bash tests/run order packed=3 tests/integration/test_*.*

# A missing package is named with the command that brings it.
says "apt-get install pprof-none" .ci/deps check pprof-none=no-such-command
says "missing: no/such.h libnone.so.9" .ci/deps check a=no/such.h b=libnone.so.9
passes .ci/deps install gcc=cc libc6-dev=stdlib.h

[ $failed = 0 ] && echo "every sin was caught"
exit $failed
