#!/bin/sh
# Every C file is as clang-format 14 leaves it with the tree's .clang-format.
cd "$(dirname "$0")/../.." || exit 2
format=clang-format
command -v clang-format-14 >/dev/null && format=clang-format-14
find middleware kore_app/src tests -name '*.[ch]' -print0 |
	xargs -0 "$format" --dry-run -Werror
