#!/bin/sh
# What the module brings into a worker: names that begin with pprof_, and no
# library that workers must not see. Modules are loaded RTLD_GLOBAL: whatever
# else it exported would shadow the names of the application.
# usage: exports.sh MODULE
names=$(nm -D --defined-only -P "$1") || exit 2
libraries=$(ldd "$1") || exit 2
[ -n "$names" ] || { echo "$1 exports nothing"; exit 1; }
bad=$(echo "$names" | awk '$1 !~ /^pprof_/ { print "  " $1 }')
foreign=$(echo "$libraries" |
	grep -E 'lib(unwind|dw|elf|protobuf|microhttpd|z|pthread)[-.]')
[ -z "$bad" ] || { echo "exported from $1:"; echo "$bad"; }
[ -z "$foreign" ] || { echo "linked to $1:"; echo "$foreign"; }
[ -z "$bad$foreign" ]
