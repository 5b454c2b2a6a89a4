#!/usr/bin/env bash
# format.sh SOURCE: every C and C++ file is as clang-format 14 with .clang-format writes it.
set -euo pipefail
cd "$1"
mapfile -t files < <(find include src capi tests examples bench -name '*.h' -o -name '*.cc' -o -name '*.c' | sort)
[ "${#files[@]}" -gt 0 ] || { echo "no sources were found"; exit 1; }
clang-format-14 --dry-run --Werror "${files[@]}" && echo "clang-format: ${#files[@]} files are as they should be"
