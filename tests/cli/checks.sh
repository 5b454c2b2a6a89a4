# Read by run.sh: a check, and how the command is run for one.
checks=0
failed=0
check() {  # WHAT COMMAND...: the command succeeds
  local what=$1
  shift
  checks=$((checks + 1))
  if "$@"; then echo "$checks ok: $what"; else
    failed=$((failed + 1))
    echo "$checks FAILED: $what"
    sed 's/^/    /' out err 2>/dev/null | head -20
  fi
}
run() { "$octavo" "$@" >out 2>err </dev/null; }
gives() {  # CODE ARGUMENTS...
  local expected=$1 code=0
  shift
  run "$@" || code=$?
  [ "$code" -eq "$expected" ] || { echo "    exit code $code, not $expected: octavo $*"; return 1; }
}
# One message, and before it nothing but progress.
one_message() {
  [ "$(grep -vE '^[a-z ]+: [0-9]+ of [0-9]+$' err | head -1 | cut -c1-8)" = "octavo: " ] &&
    [ "$(grep -c '^octavo: ' err)" -eq 1 ] && [ ! -s out ]
}
quantize() { run quantize "$digits/digits.onnx" --pixel-range 0,1 "$@"; }
refused() {  # CODE PART WHAT ARGUMENTS...: exit code, one message that has PART, and nothing written
  local code=$1 part=$2 what=$3
  shift 3
  rm -f refused.onnx
  refusal() { gives "$code" "$@" && grep -qF -- "$part" err && one_message && ! ls | grep -q '^refused'; }
  check "$what" refusal "$@"
}
bad() { local -a args=("$@"); refused "${args[@]:0:3}" quantize "$digits/digits.onnx" -o refused.onnx "${args[@]:3}"; }
