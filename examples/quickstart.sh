#!/usr/bin/env bash
# Installs what the build needs, builds the command, and does its main job on the digits model and pictures that
# lie beside this script: from a float ONNX model to a verified int8 one. Ends with what came of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash .ci/install.sh build
cmake --preset release >/dev/null
cmake --build --preset release

octavo=build/release/octavo
digits=examples/digits
result=build/quickstart
mkdir -p "$result"

echo
echo "== Quantize: a float classifier of handwritten digits and 100 pictures in, an int8 model out"
"$octavo" quantize "$digits/digits.onnx" --images "$digits/calib" --pixel-range 0,1 -o "$result/digits.int8.onnx" |
  tee "$result/quantize.txt"
echo
echo "== Verify: both models on labelled pictures that neither has seen"
"$octavo" verify "$digits/digits.onnx" "$result/digits.int8.onnx" --images "$digits/test" \
  --labels "$digits/test_labels.txt" --pixel-range 0,1 --json "$result/digits.json" | tee "$result/verify.txt"

echo
echo "== Result, on $(wc -l <"$digits/test_labels.txt") labelled pictures"
grep '^top-1' "$result/verify.txt"
grep '^Size' "$result/quantize.txt"
echo "The int8 model:         $result/digits.int8.onnx"
echo "The report, as JSON:    $result/digits.json"
echo "The command:            $octavo --help"
