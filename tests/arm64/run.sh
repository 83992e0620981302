#!/bin/sh
# Builds this tree for aarch64 and runs it under qemu-user.
#
#	ARM64_PACKAGES="..." ARM64_WITHOUT="..." tests/arm64/run.sh FOLDER
#
# FOLDER/root is a root of this machine's Debian for arm64, made when it is not
# there: debootstrap fetches the packages from the mirror that apt uses, and
# they are unpacked. FOLDER/build is what was built, FOLDER/bin the compilers
# for it and the emulator, under the names by which the tests call them.
#
# Rule: no program of the foreign root runs but under qemu-user; no package's
# script runs at all, nothing is mounted.
set -u
cd "$(dirname "$0")/../.." || exit 2
mkdir -p "$1" || exit 2
top=$(cd "$1" && pwd)
root=$top/root

mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' |
	grep '/debian$' | head -1)
[ -n "$mirror" ] || { echo "apt has no mirror of Debian"; exit 2; }
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

if [ ! -e "$top/made" ]; then
	rm -rf "$root" && mkdir -p "$root" || exit 2
	packages=$(echo "$ARM64_PACKAGES" | tr ' ' ,)
	debootstrap --foreign --arch=arm64 --variant=minbase \
		"--include=$packages" "$suite" "$root" "$mirror" \
		>"$top/debootstrap.log" 2>&1 ||
		{ tail "$top/debootstrap.log"; exit 2; }
	for package in "$root"/var/cache/apt/archives/*.deb; do
		dpkg-deb -x "$package" "$root" || exit 2
	done
	touch "$top/made"
fi

# What the tests compile while they run is for aarch64, too.
mkdir -p "$top/bin" || exit 2
for pair in cc=gcc c++=g++; do
	printf '#!/bin/sh\nexec aarch64-linux-gnu-%s --sysroot=%s "$@"\n' \
		"${pair#*=}" "$root" >"$top/bin/${pair%=*}" &&
		chmod +x "$top/bin/${pair%=*}" || exit 2
done
# A process has the name of the file that was executed: the tests look for the
# collector by its own.
qemu=$(command -v qemu-aarch64-static) || exit 2
ln -sf "$qemu" "$top/bin/kore" && ln -sf "$qemu" "$top/bin/pprof-collector" &&
	ln -sf "$qemu" "$top/bin/unit" || exit 2

build=$top/build
make -j"$(nproc)" B="$build" CC="$top/bin/cc" need_build= \
	KORE_HEADERS="-isystem $root/usr/include" all unit >"$top/build.log" 2>&1 ||
	{ tail -30 "$top/build.log"; exit 2; }
"$top/bin/cc" -shared -fPIC -Wall -Werror -o "$build/no_seccomp.so" \
	tests/arm64/no_seccomp.c || exit 2

# Where the tests look for what they test: the collector is emulated there.
mkdir -p "$top/run" && ln -sf "$build/pprof.so" "$build/no_seccomp.so" \
	"$top/run" || exit 2
printf '#!/bin/sh\nexec %s -L %s -E LD_PRELOAD=%s %s "$@"\n' \
	"$top/bin/pprof-collector" "$root" "$build/no_seccomp.so" \
	"$build/pprof-collector" >"$top/run/pprof-collector" &&
	chmod +x "$top/run/pprof-collector" || exit 2

# tests/run starts programs by their path: one a unit test, that emulates it.
# Those of symbol/ read files of x86-64, since they look at instructions.
mkdir -p "$top/unit" && rm -f "$top/unit"/* || exit 2
for unit in "$build"/unit/test_*; do
	name=${unit##*/}
	case " $ARM64_WITHOUT " in *" ${name} "*) continue ;; esac
	case $name in *.*) continue ;; esac
	path=$top/bin:$PATH
	case $name in test_symbol*) path=$PATH ;; esac
	printf '#!/bin/sh\nPATH=%s exec %s/bin/unit -L %s %s\n' "$path" \
		"$top" "$root" "$unit" >"$top/unit/$name" &&
		chmod +x "$top/unit/$name" || exit 2
done

echo "--- $("$qemu" --version | head -1); $("$top/bin/cc" --version | head -1)"
export ARM64="$top" B="$top/run" PATH="$top/bin:$PATH"
exec tests/run limit=300 "$top"/unit/test_* tests/arm64/test_arm64.py
