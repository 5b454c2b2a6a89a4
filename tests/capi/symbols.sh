#!/usr/bin/env bash
# symbols.sh NM SHARED STATIC SOURCE: liboctavo shows what octavo.h declares and nothing else; no object of the
# library prints, exits or aborts.
set -uo pipefail
nm=$1 shared=$2 static=$3 source=$4
failed=0
fail() { echo "FAILED: $1"; failed=1; }

exported=$("$nm" -D --defined-only "$shared" | awk '{print $NF}' | sort)
declared=$(grep -oE '\boctavo_[a-z_0-9]+\(' "$source/capi/octavo.h" | tr -d '(' | sort -u)
[ -n "$declared" ] || fail "no declarations were found in octavo.h"
diff <(echo "$declared") <(echo "$exported") || fail "declared (<) and exported (>) functions differ"

wanted=$("$nm" -u "$static")
[ "$(grep -c ' U ' <<<"$wanted")" -gt 100 ] || fail "nm did not read $static"
# Standard C and C++ output, fmt's, Highway's, failed assertions, and ends of the process.
printing='printf|fprintf|vprintf|vfprintf|__printf_chk|__fprintf_chk|__vfprintf_chk|puts|fputs|putchar|fputc|putc'
printing+='|perror|stdout|stderr|_ZSt4cout|_ZSt4cerr|_ZSt4clog|_ZN3fmt2v96vprint.*'
ending='exit|_exit|_Exit|quick_exit|raise|kill|__assert_fail|_ZN3hwy5Abort.*'
found=$(grep -E "^ +U ($printing|$ending)(@.*)?$" <<<"$wanted" | sort | uniq -c)
[ -z "$found" ] || fail "objects of $(basename "$static") refer to: $found"

# abort is for core's broken preconditions: require.h alone says it, and whoever wants it has it from there.
said=$(grep -rnE '\b(abort|exit|quick_exit|_Exit) *\(' "$source/include" "$source/src" "$source/capi" \
  --include='*.h' --include='*.cc' --include='*.inc' | grep -vE '/src/cli/|include/octavo/core/require\.h:')
[ -z "$said" ] || fail "the process is ended by: $said"
printed=$(grep -rnE '\b(std::(cout|cerr|clog)|fmt::print|std::printf|std::puts)\b|[^nf:]printf *\(|#include <iostream>' \
  "$source/include" "$source/src" "$source/capi" --include='*.h' --include='*.cc' --include='*.inc' |
  grep -v '/src/cli/')
[ -z "$printed" ] || fail "the library prints: $printed"

[ "$failed" -eq 0 ] && echo "$(wc -l <<<"$exported") functions exported, nothing printed, no process ended"
exit "$failed"
