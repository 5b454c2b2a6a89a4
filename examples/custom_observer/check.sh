#!/usr/bin/env bash
# check.sh EXAMPLE COMMAND DIGITS WORK: the recipe's own parts are used, and the result still knows its digits.
set -euo pipefail
example=$1 command=$2 digits=$3 work=$4
rm -rf "$work" && mkdir -p "$work"
recipe=$(dirname "${BASH_SOURCE[0]}")/recipe.yaml

"$example" "$digits/digits.onnx" "$digits/calib" "$recipe" "$work/own.onnx" | tee "$work/said.txt"
grep -q "weights by least_squares" "$work/said.txt"
grep -q "activations by ThreeSigmaObserver" "$work/said.txt"

"$command" verify "$digits/digits.onnx" "$work/own.onnx" --images "$digits/test" --labels "$digits/test_labels.txt" \
  --pixel-range 0,1 | tee "$work/verified.txt"
agreement=$(sed -nE 's/.*top-1 agreement ([0-9]+)\..*/\1/p' "$work/verified.txt")
[ "$agreement" -ge 98 ] || { echo "agreement is $agreement %"; exit 1; }

# Without the extensions, the command does not know the names, and says so.
if "$command" quantize "$digits/digits.onnx" --images "$digits/calib" --config "$recipe" -o "$work/no.onnx" 2>"$work/error.txt"; then
  echo "a name nobody has was accepted"; exit 1
fi
grep -q "ThreeSigmaObserver\|MarginFakeQuantize\|least_squares" "$work/error.txt"
