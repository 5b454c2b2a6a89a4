#!/usr/bin/env bash
# same_bytes.sh EXAMPLE COMMAND DIGITS WORK: the C program and the command, given the same, write the same bytes.
set -euo pipefail
example=$1 command=$2 digits=$3 work=$4
rm -rf "$work" && mkdir -p "$work"

compare() {  # NAME FLAGS...: `--key=value` and `--switch`, which the C program takes without dashes
  local name=$1
  shift
  "$example" "$digits/digits.onnx" "$digits/calib" "$work/$name.c.onnx" "${@#--}" >"$work/$name.c.log" 2>&1 ||
    { cat "$work/$name.c.log"; exit 1; }
  "$command" quantize "$digits/digits.onnx" --images "$digits/calib" -o "$work/$name.onnx" --quiet --no-verify "$@"
  cmp "$work/$name.c.onnx" "$work/$name.onnx"
  echo "$name: same $(wc -c <"$work/$name.onnx") bytes"
}

compare plain --pixel-range=0,1
compare flags --pixel-range=0,1 --mean=.5 --std=1.0/4 --crop-fraction=.75 --interpolation=opencv-area --bgr --threads=2
! cmp -s "$work/plain.onnx" "$work/flags.onnx" || { echo "the flags changed nothing"; exit 1; }
