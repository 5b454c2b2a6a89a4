#!/usr/bin/env bash
# run.sh OCTAVO SOURCE WORK: what people see of the command. Ends with "N checks, M failed".
set -uo pipefail
octavo=$1 source=$2 work=$3
digits=$source/examples/digits
data=$source/tests/cli/data
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
mkdir images && cp "$digits"/calib/*0.png images

source "$source/tests/cli/checks.sh"

echo "# help"
check "--version names the version and the compute library" gives 0 --version
check "--version has a number" grep -qE '^octavo [0-9]+\.[0-9]+\.[0-9]+ \((oneDNN|Eigen)\)$' out
check "--help succeeds" gives 0 --help
for code in 0 1 2 3 4 5 6 8 130; do check "--help explains exit code $code" grep -qE "[ ;]$code [a-z]" out; done
for command in quantize calibrate merge verify inspect check export config quantization_cmd ncnn2table; do
  check "$command --help succeeds" gives 0 "$command" --help
done
check "no command is exit code 1" gives 1
check "a command without its arguments is exit code 1" gives 1 merge
check "... and its own help is named" grep -q "octavo merge --help" err
check "an unknown command is exit code 1" gives 1 quantise
check "... and the nearest is named" grep -qF "did you mean 'quantize'?" err
for command in quantize calibrate merge verify inspect check export config quantization_cmd ncnn2table; do
  check "help of $command fits a terminal" eval 'run "$command" --help && ! grep -qE "^.{120}" out'
done

echo "# what is refused, and how it is said"
refused 2 no/model.onnx "a model that is not there" quantize no/model.onnx --images images -o refused.onnx
head -c 5000 "$digits/digits.onnx" >cut.onnx
refused 3 cut.onnx "a model cut short" quantize cut.onnx --images images -o refused.onnx
echo "not a model at all, just text" >text.onnx
refused 3 text.onnx "a model that is none" quantize text.onnx --images images -o refused.onnx
: >empty.onnx
refused 3 empty.onnx "an empty model" inspect empty.onnx
refused 2 images "a folder as the model" inspect images
check "an unknown flag is exit code 1" gives 1 quantize "$digits/digits.onnx" --imagse images -o refused.onnx
check "an unknown flag is named" grep -q -- --imagse err
check "a missing --output is exit code 1" gives 1 quantize "$digits/digits.onnx" --images images
check "a missing --output is named" grep -q -- --output err
bad 1 "--images" "no samples at all"
bad 1 "'1,two' found" "a mean that is no number" --images images --mean 1,two
bad 1 "'8y8' found" "a size that is none" --images images --resize 8y8
bad 1 "'2000' found" "too many threads" --images images --threads 2000
bad 1 "'1.5' found" "a crop fraction above one" --images images --crop-fraction 1.5
bad 1 "'cubic' found" "an unknown interpolation" --images images --interpolation cubic
bad 1 "abacus" "an unknown backend" --images images --backend abacus
bad 1 "no input 'picture'" "settings for an input that is not there" --images images --mean picture=1
bad 1 "center_crop" "preprocessing that contradicts the model" --images images --center-crop 6x6
bad 2 nowhere "an image folder that is not there" --images nowhere
bad 1 "tnn-v1; did you mean 'ncnn'?" "a form that is not written" --images images --to ncn
bad 4 "(merge type 0, or" "scales that a backend does not take" --images images --merge-type 0
bad 1 "'22' found" "an operator set that is not written" --images images --opset 22
bad 1 "integers or floats" "a storage of weights that is none" --images images --weight-storage halves
bad 1 "digits" "a version that is none" --images images --runtime-version latest
bad 1 "--output: given twice, as 'refused.onnx' and as 'refused2.onnx'" "two outputs" --images images -o refused2.onnx
bad 1 "--mean: given twice" "two means" --images images --mean 1 --mean 2
bad 1 "--bgr and --rgb contradict each other" "two orders of colours" --images images --bgr --rgb
bad 1 "did you mean 'ncnn'?" "a form that is none" --images images --to ncn
bad 1 "runtime_version: has no effect on what is written as onnx" "a version that nobody reads" --images images \
  --runtime-version 8601
bad 1 "full_range_weights: has no effect for onnxruntime" "full range where nothing is narrowed" --images images \
  --full-range-weights true
for to in ncnn:param tnn:tnnproto json:json; do
  refused 1 "opset: has no effect on what is written as ${to%:*}" "an operator set for ${to%:*}" quantize \
    "$digits/digits.onnx" --images images --opset 13 --to "${to%:*}" -o "refused.${to#*:}"
done
for to in tnn:tnnproto onnx-qoperator:onnx; do
  refused 1 "weight_storage: has no effect on what is written as ${to%:*}" "a storage of weights for ${to%:*}" quantize \
    "$digits/digits.onnx" --images images --weight-storage floats --to "${to%:*}" -o "refused.${to#*:}"
done
mkdir hollow
bad 5 hollow "an empty image folder" --images hollow
refused 2 "does not exist" "an output folder that is not there" quantize "$digits/digits.onnx" --images images \
  -o nowhere/refused.onnx
refused 2 "is a folder" "a folder as the output" quantize "$digits/digits.onnx" --images images -o images
cp "$digits/digits.onnx" own.onnx
refused 1 overwrite "the model itself as the output" quantize own.onnx --images images -o ./own.onnx
check "... which stays as it was" cmp own.onnx "$digits/digits.onnx"
ln own.onnx linked.onnx
refused 1 overwrite "the model under another name as the output" quantize own.onnx --images images -o linked.onnx

echo "# the main job"
check "quantize succeeds" quantize --images images -o int8.onnx
for part in 'smaller' 'SQNR' 'cosine' 'top-1 agreement' 'Worst layers' 'Time' 'peak memory' 'note: resize'; do
  check "quantize says: $part" grep -q "$part" out
done
check "progress is lines where there is no terminal" grep -qE '^calibrate: [0-9]+ of 1[0-9]$' err
refused 4 "quantized already" "a quantized model" quantize int8.onnx --images images -o refused.onnx
check "... with what can be done with it" grep -qF "octavo export" err
check "more batches than there are samples are noted" eval 'quantize --images images --calibrate-steps 99 -o other.onnx &&
  grep -qE "^note: calibrate_steps: 99 batches of 1 sample found, and there are [0-9]+ samples: all are taken" out'
check "--no-verify leaves the comparison out" quantize --images images -o other.onnx --no-verify
check "... and says nothing of it" eval '! grep -q SQNR out'
check "... and writes the same bytes" cmp int8.onnx other.onnx
check "--quiet succeeds" quantize --images images -o other.onnx --quiet
check "--quiet prints nothing" eval '[ ! -s out ] && [ ! -s err ]'
check "an output that exists is replaced" cmp int8.onnx other.onnx
check "a relative name without a folder is fine" eval '[ "$(ls *.onnx | wc -l)" -ge 2 ] && ! ls -A | grep -qi tmp'
for threads in 1 2 7; do
  check "$threads threads succeed" quantize --images images -o "threads$threads.onnx" --threads "$threads" --quiet
  check "$threads threads give the same bytes" cmp int8.onnx "threads$threads.onnx"
done
check "images given one by one give the same bytes" eval \
  'quantize $(printf -- "--images %s " images/*.png) -o other.onnx && cmp int8.onnx other.onnx'

echo "# recipes"
check "config prints a recipe" eval 'gives 0 config && cp out default.yaml && grep -q "^threads: 0" out'
check "... which is one" gives 0 config --check default.yaml --model "$digits/digits.onnx"
check "... and says so" grep -qx 'default.yaml: ok' out
check "... and changes nothing" eval \
  'quantize --config default.yaml --images images -o other.onnx && cmp int8.onnx other.onnx'
check "quantize writes its recipe beside the output" gives 0 config --check int8.recipe.yaml
rm -f again.onnx && cp int8.onnx before.onnx && cp int8.recipe.yaml before.yaml
check "... which repeats the run" gives 0 quantize "$digits/digits.onnx" --config int8.recipe.yaml
check "... byte for byte" cmp int8.onnx before.onnx
check "... the recipe as well" cmp int8.recipe.yaml before.yaml
cat >own.yaml <<END
images: $digits/calib   # more than images
output: from_file.onnx
threads: 1
preprocess: {pixel_range: [0, 255]}
global_qconfig: {a_observer: {type: mmrazor.MinMaxObserver}}
END
check "flags override the recipe, wherever they stand" gives 0 quantize --images images --pixel-range 0,1 \
  "$digits/digits.onnx" --config own.yaml -o overridden.onnx --threads 2
check "... but not what they do not name" grep -q MinMaxObserver overridden.recipe.yaml
check "... nor what the file has for all" eval '! grep -q "$digits" overridden.recipe.yaml'
check "the recipe's own output" gives 0 quantize "$digits/digits.onnx" --config own.yaml --pixel-range 0,1
check "... is written" test -s from_file.onnx
cp own.yaml refused.recipe.yaml && chmod -w refused.recipe.yaml
check "a recipe that somebody wrote is not replaced" gives 1 quantize "$digits/digits.onnx" --images images \
  -o refused.onnx
check "... which is said" grep -q "not one that octavo wrote" err
rm -f refused.*
printf 'threads: 1\nthraeds: 2\n' >wrong.yaml
refused 1 "wrong.yaml:2: key 'thraeds' is not known" "an unknown key in a recipe" config --check wrong.yaml
bad 1 "did you mean 'threads'" "... when it is used" --config wrong.yaml --images images
echo 'images: {picture: images}' >wrong.yaml
check "a recipe for another model is a recipe" gives 0 config --check wrong.yaml
refused 1 "wrong.yaml:1: images: the model has no input 'picture'" "... but not for this one" config --check wrong.yaml --model "$digits/digits.onnx"
echo "skip: ['*']" >wrong.yaml
refused 4 "no operator can run in integers" "a recipe that skips everything" \
  config --check wrong.yaml --model "$digits/digits.onnx"
refused 1 "--weights-only and --dynamic" "two modes at once" quantize "$digits/digits.onnx" --weights-only --dynamic \
  -o refused.onnx
refused 2 no.yaml "a recipe that is not there" config --check no.yaml
printf 'to: ncnn\noutput: x.onnx\n' >wrong.yaml
refused 1 "wrong.yaml: output: x.onnx: what is written as ncnn" "an output of another form" config --check wrong.yaml
echo 'preprocess: {mean: [1, 2]}' >wrong.yaml
refused 1 "wrong.yaml: preprocess: mean has 2 values" "means for two channels" config --check wrong.yaml
echo 'preprocess: {resize: 9x9}' >wrong.yaml
check "a size for another model is a size" gives 0 config --check wrong.yaml
refused 1 "resize 9x9 contradicts input 'image'" "... but not for this one" config --check wrong.yaml \
  --model "$digits/digits.onnx"
echo 'global_qconfig: {a_observer: {type: KLObserver, averaging_constant: 0.5}}' >wrong.yaml
refused 1 "wrong.yaml:1: a_observer: KLObserver reads no averaging_constant; its options are bins" \
  "an option that the observer does not read" config --check wrong.yaml
printf 'merge_type: 2\nglobal_qconfig: {a_observer: PerChannelKLObserver}\n' >wrong.yaml
refused 1 "wrong.yaml:1: merge_type: merge type 2 has one scale" "a merge type beside an observer of channels" \
  config --check wrong.yaml
head -c 2000000 /dev/zero | tr '\0' '#' >huge.yaml
refused 6 huge.yaml "a recipe of two megabytes" config --check huge.yaml
refused 1 --check "a model without a recipe" config --model "$digits/digits.onnx"
check "verify takes the recipe" gives 0 verify "$digits/digits.onnx" int8.onnx --config int8.recipe.yaml --samples 3

echo "# unreadable and odd files"
cp -r images mixed
echo "no picture" >mixed/aa.png
echo "nor this" >mixed/zz.png
bad 5 "aa.png" "images that are none" --images mixed
check "... every one is named" grep -q 'zz\.png' err
head -c 60 "$digits/calib/digit_0008.png" >mixed/yy.png
bad 5 "yy.png" "... those whose beginning is sound too" --images mixed
check "... all of them at once" eval 'grep -q "aa\.png" err && grep -q "zz\.png" err'
rm mixed/yy.png mixed/zz.png
cp -r images torn
head -c 60 "$digits/calib/digit_0008.png" | tee torn/bb.png torn/cc.png >mixed/bb.png
bad 5 "bb.png" "images cut short" --images torn
check "... every one is named" grep -q 'cc\.png' err
check "--skip-bad-images leaves them out" quantize --images mixed --skip-bad-images -o other.onnx
check "... and lists both" eval '[ "$(grep -c "^skipped: .*[ab][ab]\.png" out)" -eq 2 ]'
check "... and uses the others only" grep -q "on $(ls images | wc -l) samples" out
check "... as with any number of threads" eval 'quantize --images mixed --skip-bad-images -o bare.onnx --threads 7 &&
  cmp other.onnx bare.onnx'
mkdir broken && cp mixed/aa.png broken
bad 5 "aa.png" "a folder with nothing readable in it" --images broken --skip-bad-images
odd=$'a=b "quoted" \xc3\xa9 \'$HOME\' %s {} '
mkdir -p "$odd"
i=0
for file in images/*.png; do
  i=$((i + 1))
  cp "$file" "$odd/$(printf '%03d' "$i")"$' -x {} %n "q" \n=\xff.PNG'
done
touch "$odd/.hidden.png" "$odd/readme.md"
check "odd names are names" quantize --images "$odd" -o "odd = {}.onnx"
check "... and give the same bytes" cmp int8.onnx "odd = {}.onnx"
ln -s "$work/images" linked
check "a linked folder is a folder" eval 'quantize --images linked -o other.onnx && cmp int8.onnx other.onnx'

echo "# tensors, several inputs"
both=(--images "left=$data/left.npy" --images "right=$data/right.npy")
check "inputs by name, rows of .npy as samples" gives 0 quantize "$data/two_inputs.onnx" "${both[@]}" -o two.onnx
check "... all of them" grep -q 'on 6 samples' out
refused 1 "'right'" "samples missing for one input" quantize "$data/two_inputs.onnx" \
  --images "left=$data/left.npy" -o refused.onnx
refused 5 "" "inputs with unlike numbers of samples" quantize "$data/two_inputs.onnx" "${both[@]}" \
  --images "left=$data/left.npy" -o refused.onnx
head -c 700 "$data/left.npy" >short.npy
refused 5 short.npy "an .npy cut short" quantize "$data/two_inputs.onnx" --images left=short.npy \
  --images "right=$data/right.npy" -o refused.onnx

echo "# verify and inspect"
verify=(verify "$digits/digits.onnx" int8.onnx --images "$digits/test" --pixel-range 0,1)
check "verify with labels" gives 0 "${verify[@]}" --labels "$digits/test_labels.txt" --json report.json
check "... says accuracies" grep -qE '^top-1 +float 9[0-9.]+ %, quantized 9[0-9.]+ %' out
check "... says how much is integers" grep -qE '^Work: [0-9.]+ % of [0-9.]+ million multiplications in integers' out
check "... writes JSON with a version" grep -q '"version": 1' report.json
check "... and the preprocessing" grep -q '"pixel_range"' report.json
check "verify with another arithmetic" gives 0 "${verify[@]}" --samples 20 --backend ncnn --json ncnn.json
check "... which the report names" grep -q '"backend": "ncnn"' ncnn.json
check "verify takes the recipe's backend" eval 'printf "backend: tnn\n" >tnn.yaml &&
  gives 0 "${verify[@]}" --samples 2 --config tnn.yaml --json tnn.json && grep -q "\"backend\": \"tnn\"" tnn.json'
check "verify without labels" gives 0 "${verify[@]}" --samples 20
check "... says agreement" grep -q 'top-1 agreement' out
check "verify --quiet prints nothing" eval 'gives 0 "${verify[@]}" --quiet && [ ! -s out ] && [ ! -s err ]'
refused 2 no_labels.txt "labels that are not there" "${verify[@]}" --labels no_labels.txt
echo "digit_1.png seven" >labels.txt
refused 5 labels.txt "labels that are none" "${verify[@]}" --labels labels.txt
refused 2 nowhere "a report into a folder that is not there" "${verify[@]}" --samples 2 --json nowhere/x.json
refused 1 "" "two models with unlike inputs" verify "$digits/digits.onnx" "$data/two_inputs.onnx" --images images \
  --pixel-range 0,1
check "inspect" gives 0 inspect "$digits/digits.onnx"
for part in "input    image" "output   logits" "opset" "Conv" "run in integers"; do
  check "inspect says: $part" grep -q "$part" out
done
check "inspect a quantized model" gives 0 inspect int8.onnx
check "inspect with a recipe" gives 0 inspect "$digits/digits.onnx" --config tnn.yaml
check "... by its backend" grep -q 'With tnn' out

echo "# check"
check "check" gives 0 check "$digits/digits.onnx" --json check.json
check "... lists operators" grep -qE '^integer +Conv' out
check "... and sums up" grep -qE '^With onnxruntime, written as onnx: [0-9]+ operators, [0-9]+ in integers, [0-9]+ in float, 0' out
check "... writes JSON" grep -q '"support": "integer"' check.json
check "check for another backend" gives 0 check "$digits/digits.onnx" --backend tensorrt
check "... gives reasons" grep -qE '^float .*has no integer kernel in tensorrt' out
printf 'backend: tensorrt\nglobal_qconfig: {a_qscheme: {qdtype: quint8}}\n' >asymmetric.yaml
refused 4 tensorrt "what a backend cannot take" check "$digits/digits.onnx" --config asymmetric.yaml
check "a dynamic shape is a conflict where sizes must be known" gives 4 check "$data/dynamic.onnx" --backend tnn
check "... which names the input" grep -q "input 'x' has a dynamic shape" err
check "... and the way out" grep -q -- "--input-shape" err
check "... which is one" gives 0 check "$data/dynamic.onnx" --backend tnn --input-shape 1,2,6,6
check "... for one operator" grep -q "written as tnn: 1 operator, 1 in integers" out
check "... and to export it" gives 0 export "$data/dynamic.onnx" --to tnn --input-shape x=-1,2,6,6 -o fixed.tnnproto
refused 1 "input 'x' is [N,2,H,W]" "... but for sizes that the model has" check "$data/dynamic.onnx" --input-shape 1,3,6,6
check "where sizes may stay open, check says so as quantize does" gives 0 check "$data/dynamic.onnx" --backend ncnn
refused 4 "quantized already" "a model that is quantized" check int8.onnx
check "check --quiet prints nothing" eval 'gives 0 check "$digits/digits.onnx" --quiet && [ ! -s out ] && [ ! -s err ]'
refused 2 nowhere "a list into a folder that is not there" check "$digits/digits.onnx" --json nowhere/x.json

echo "# calibrations as files"
calibrate() { gives 0 calibrate "$digits/digits.onnx" --images images --pixel-range 0,1 "$@"; }
check "calibrate writes statistics" calibrate --threads 1 -o stats --text stats.tsv
check "... and a table with a line a value" eval '[ "$(grep -vc "^#" stats.tsv)" -gt 4 ] && grep -q "^value" stats.tsv'
check "... and leaves no checkpoint" eval '[ ! -e stats.partial ]'
for shard in 1 2 3; do check "share $shard of 3" calibrate --threads 2 --shard "$shard/3" -o "stats$shard"; done
check "merge joins them in any order" gives 0 merge stats3 stats1 stats2 -o joined
check "... to the bytes of one run" cmp -s stats joined
refused 1 "share 2 of 3 is missing" "a share that is missing" merge stats1 stats3 -o refused.stats
refused 1 "both share 1" "a share given twice" merge stats1 stats1 stats2 -o refused.stats
check "quantize from statistics needs no samples" gives 0 quantize "$digits/digits.onnx" --calibration stats -o saved.onnx
check "... and says that nothing was compared" grep -q "Not compared with the float model: no samples" out
check "... and its recipe has the preprocessing" eval 'grep -q "pixel_range: \[0, 1\]" saved.recipe.yaml &&
  gives 0 verify "$digits/digits.onnx" saved.onnx --config saved.recipe.yaml --images images'
check "... which gives the accuracy of the calibration" grep -qE "SQNR [2-9][0-9]\." out
check "other preprocessing" gives 0 verify "$digits/digits.onnx" saved.onnx --images images --pixel-range 3000,-9000
check "... is suspected where it costs so much" grep -q "^Below 10 dB: is the preprocessing" out
refused 1 "calibrate_steps: 1 found" "a number of samples beside statistics" quantize "$digits/digits.onnx" \
  --calibration stats --calibrate-steps 1 -o refused.onnx
check "quantize from samples" gives 0 quantize "$digits/digits.onnx" --images images --pixel-range 0,1 --no-verify \
  -o direct.onnx
check "... both to the same bytes" cmp -s saved.onnx direct.onnx
refused 1 "measured on" "statistics of other samples" quantize "$digits/digits.onnx" --calibration stats --images images \
  --pixel-range 0,2 -o refused.onnx
refused 1 "measured on model" "statistics of another model" quantize "$data/two_inputs.onnx" --calibration stats \
  -o refused.onnx
head -c 1000 stats >cut.stats
refused 5 cut.stats "statistics cut short" quantize "$digits/digits.onnx" --calibration cut.stats -o refused.onnx
refused 5 digits.onnx "statistics that are none" merge "$digits/digits.onnx" -o refused.stats
refused 2 no.stats "statistics that are not there" quantize "$digits/digits.onnx" --calibration no.stats -o refused.onnx
refused 1 "'4/3' found" "a share that does not exist" calibrate "$digits/digits.onnx" --images images --shard 4/3 \
  -o refused.stats

source "$source/tests/cli/runtimes.sh"

echo "# Ctrl-C"
rows=400000 # of 2 x 4 x 4 floats: some 50 MB and far more work than it takes to interrupt it
header="{'descr': '<f4', 'fortran_order': False, 'shape': ($rows, 2, 4, 4), }"
{ printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header"; head -c $((rows * 128)) /dev/zero; } >many.npy
interrupted() {  # SIGNAL STAGE
  rm -rf stopped && mkdir stopped
  : >err  # what the run before has said must not be taken for this one's
  "$octavo" quantize "$data/two_inputs.onnx" --images left=many.npy --images right=many.npy -o stopped/int8.onnx \
    --threads 2 >out 2>err &
  local process=$! code=0 tries=0
  until grep -q "^$2: " err || [ "$tries" -gt 600 ]; do sleep 0.05; tries=$((tries + 1)); done
  kill -s "$1" "$process"
  wait "$process" || code=$?
  [ "$code" -eq 130 ] || { echo "    exit code $code"; return 1; }
}
measuring() {  # a calibration that is interrupted once it has a checkpoint
  : >err
  "$octavo" calibrate "$data/two_inputs.onnx" --images left=many.npy --images right=many.npy -o begun.stats \
    --threads 2 >out 2>err &
  local process=$! code=0 tries=0
  until [ -e begun.stats.partial ] || [ "$tries" -gt 1200 ]; do sleep 0.05; tries=$((tries + 1)); done
  kill -s INT "$process"
  wait "$process" || code=$?
  [ "$code" -eq 130 ] || { echo "    exit code $code"; return 1; }
}
check "an interrupted calibration ends with 130" measuring
check "... and says how to go on" eval 'grep -q "begun.stats.partial" err && grep -q -- "--resume" err'
for signal in INT TERM; do
  check "SIG$signal ends a run with 130" interrupted "$signal" calibrate
  check "... while it was calibrating" eval '! grep -qE "^calibrate: 400000 of" err'
  check "... and leaves no file" eval '[ -z "$(ls -A stopped)" ]'
done

echo "$checks checks, $failed failed"
[ "$failed" -eq 0 ]
