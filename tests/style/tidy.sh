#!/usr/bin/env bash
# tidy.sh SOURCE BUILD: clang-tidy over src/ and capi/, configured by .clang-tidy; prints each finding once.
set -uo pipefail
source=$1 build=$2
[ -f "$build/compile_commands.json" ] || { echo "no compile_commands.json in $build"; exit 1; }

# GCC's own warning flags are unknown to clang. Headers are read once for each file that includes them.
found=$(run-clang-tidy-14 -quiet -p "$build" -j "$(nproc)" -extra-arg=-Wno-unknown-warning-option \
  "^$source/(src|capi)/" 2>&1)
status=$?
sed 's/\x1b\[[0-9;]*m//g' <<<"$found" | grep -E -A3 '(error|warning): ' | grep -v '^--$' | awk '!seen[$0]++'
[ "$status" -eq 0 ] && echo "clang-tidy: no findings"
exit "$status"
