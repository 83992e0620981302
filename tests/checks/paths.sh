#!/bin/sh
# Nothing in the tree may name a place on somebody's machine.
cd "$(dirname "$0")/../.." || exit 2
[ -f Makefile ] || exit 2
found=$(grep -rsnIE '(^|[^A-Za-z0-9_.*)$/-])/(work|home|root|Users|mnt|media)/' \
	--exclude-dir=.objs --exclude-dir=__pycache__ \
	Makefile README.md .ci conf assets docs middleware kore_app/src tests)
[ -z "$found" ] && exit 0
echo "$found"
exit 1
