#!/bin/sh
# Builds and tests this tree inside a root of Debian sid.
#
#	SID_PACKAGES="..." SID_INTEGRATION="..." \
#		tests/sid/run.sh FOLDER [ITEM...]
#
# FOLDER/root is made by debootstrap when it is not there, from the mirror that
# this machine's apt uses. ITEMs are those of tests/run; without them every
# unit test, and the integration tests of that list but those named below.
#
# Rule: what is mounted is in a mount namespace of its own, and gone with it.
set -u
cd "$(dirname "$0")/../.." || exit 2
top=$1
root=$top/root
shift

# What is not run there, and why:
#   test_deb                 builds a package of this Debian
#   test_checks, test_docs, test_contributing   look at the tree, not at what
#                            runs
#   test_browser*, test_pictures   a browser; the pages do not know of Kore
leave='test_browser|test_pictures\.|test_deb\.|test_checks\.|test_docs\.|test_contributing\.'

mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
	grep '/debian$' | head -1)
[ -n "$mirror" ] || { echo "apt has no mirror of Debian"; exit 2; }

if [ ! -e "$top/made" ]; then
	rm -rf "$root" && mkdir -p "$root" || exit 2
	debootstrap --variant=minbase sid "$root" "$mirror" || exit 2
	touch "$top/made"
fi

rm -rf "$root/src" && mkdir -p "$root/src" &&
	tar -c --exclude=__pycache__ --exclude=.objs \
		--exclude=kore_app.so Makefile README.md .ci \
		.clang-format assets conf docs kore_app middleware tests |
	tar -x -C "$root/src" || exit 2
[ -e /etc/resolv.conf ] && cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# Of the machine, not of the project: how apt gets through to the mirror.
cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null

cat >"$root/src/inside.sh" <<'SH'
set -u
cd /src || exit 2
export DEBIAN_FRONTEND=noninteractive
# The mirror may be a copy of some day, and say that it has run out.
apt="apt-get -q -o Acquire::Check-Valid-Until=false"
$apt update && $apt install -y --no-install-recommends $SID_PACKAGES \
	>/var/log/src-install.log 2>&1 || { tail /var/log/src-install.log; exit 2; }
echo "--- kore $(kore -v), $(cc --version | head -1),"
echo "    $(ldd --version | head -1), $(go version)," \
	"libunwind $(dpkg-query -Wf '${Version}' libunwind8)"
# Newer compilers and headers know of more that is old: not an error here.
make -j"$(nproc)" everything \
	CFLAGS="-O2 -g -Wno-error=deprecated-declarations" \
	>/src/build.log 2>&1 || { tail -30 /src/build.log; exit 2; }
# Today's go compiles its tools when they are first called, which takes a
# minute: once, and not within a test.
export GOCACHE=/var/cache/go-build
# They end with status 2 after their usage, and with 1 when they could not be
# made.
for tool in pprof trace; do
	go tool $tool -h >/var/log/go-tool.log 2>&1
	[ $? -le 2 ] && grep -qi usage /var/log/go-tool.log ||
		{ cat /var/log/go-tool.log; echo "no go tool $tool"; exit 2; }
done
items=$*
[ -n "$items" ] || items="limit=60 $(ls build/unit/test_* | grep -v '\.d$')
	limit=300 $(echo "$SID_INTEGRATION" | tr ' ' '\n' | grep -vE "$LEAVE")"
exec tests/run $items
SH

export SID_PACKAGES root LEAVE="$leave"
# A root that is a mount: a test takes a namespace of its own, too.
exec unshare --mount --propagation private sh -c '
	mount --bind "$root" "$root" &&
	mount -t proc proc "$root/proc" &&
	mount -t sysfs -o ro sysfs "$root/sys" &&
	mount --rbind /dev "$root/dev" &&
	exec chroot "$root" sh /src/inside.sh "$@"' sh "$@"
