# Read by run.sh: files for other runtimes, and the commands that take the arguments of their tools.
echo "# what other runtimes read"
check "pairs" quantize --images images -o pairs.onnx --no-verify
check "... as operators on integers" gives 0 export pairs.onnx --to onnx-qoperator -o integers.onnx
check "... which inspect sees, and can be run" eval 'run inspect integers.onnx && grep -q "QLinearConv" out &&
  grep -q "Quantized already" out && ! grep -q " \*$" out'
check "... and verify runs" gives 0 verify "$digits/digits.onnx" integers.onnx --images images --pixel-range 0,1
check "... and export turns back" eval 'run export integers.onnx --to onnx -o back.onnx && run inspect back.onnx &&
  ! grep -q QLinear out'
check "... with FakeQuantize" gives 0 export pairs.onnx --to openvino-fakequantize -o fake.onnx
check "... from pairs for OpenVINO" eval 'run quantize "$digits/digits.onnx" --images images --pixel-range 0,1 --to openvino \
  -o openvino.onnx --no-verify && run export openvino.onnx --to openvino-fakequantize -o fake.onnx'
check "... which verify reads as the same pairs" eval 'as_openvino() { run verify "$digits/digits.onnx" "$1" --images images \
  --pixel-range 0,1 --backend openvino; }; as_openvino openvino.onnx && cp out pairs.out && as_openvino fake.onnx &&
  cmp -s out pairs.out'
check "... and export turns back" eval 'run export fake.onnx --to openvino -o back.onnx && run inspect back.onnx &&
  ! grep -q FakeQuantize out && grep -q QuantizeLinear out'
check "a table of scales" quantize --images images --to json -o scales.json --no-verify
check "... is no model that has a size" eval '! grep -q "^Size" out'
check "... as a table" gives 0 export pairs.onnx --to json -o table.json
check "... that has the input" grep -q '"name": "image"' table.json
check "TensorRT's cache" quantize --images images --to tensorrt-cache --runtime-version 8601 -o trt.cache --no-verify
check "... names its version" eval '[ "$(head -1 trt.cache)" = TRT-8601-EntropyCalibration2 ]'
check "... has a line a tensor" grep -qE '^image: [0-9a-f]{8}$' trt.cache
check "... has its float model beside it" gives 0 inspect trt_float.onnx
refused 1 "runtime_version: has no effect" "a version that export's form does not read" export pairs.onnx --to onnx \
  --runtime-version 8601 -o refused.onnx
refused 4 "quantized already" "a model with FakeQuantize" quantize fake.onnx --images images -o refused.onnx
check "... which inspect sees, and can be run" eval 'run inspect fake.onnx && grep -q "FakeQuantize$" out &&
  grep -q "Quantized already" out'
check "weights alone for ncnn" quantize --weights-only --to ncnn -o weights.param
check "... are said to be floats" eval 'grep -q "rounded to integers and written as floats" out &&
  grep -q "^note: weights are written as the floats" out && ! grep -q Winograd out'
check "weights alone for ONNX" quantize --weights-only -o weights.onnx
check "... are integers" grep -qx "6 weights written as integers." out
printf 'global_qconfig: {a_qscheme: {qdtype: qint8, bit: 6}}\n' >six.yaml
refused 4 "tnn takes activations of 8 bits" "6 bits for kernels that clip at 8" quantize "$digits/digits.onnx" --images images \
  --pixel-range 0,1 --config six.yaml --to tnn -o refused.tnnproto
printf 'global_qconfig: {w_qscheme: {qdtype: qint8, bit: 4}}\n' >four.yaml
check "weights of 4 bits for TNN" quantize --images images --config four.yaml --to tnn -o four.tnnproto
check "... are integers there" eval 'grep -qE "^Work: [1-9][0-9.]+ % of" out && ! grep -q opset out'
refused 4 "u8, not i8" "unsigned integers in TensorRT's cache" export pairs.onnx --to tensorrt-cache -o refused.cache

echo "# TNN's quantization_cmd"
golden=$source/tests/formats/golden/tnn
as_tnn() { run quantization_cmd -p "$golden/float_v2.tnnproto" -m "$golden/float_v2.tnnmodel" -i "$golden/samples" "$@"; }
for merge in 0 1 2; do
  check "merge type $merge" as_tnn -t "$merge" -o tnn
  check "... gives TNN's numbers to the bit" eval 'cmp -s tnn.quantized.tnnproto "$golden/int8_t$merge.tnnproto" &&
    cmp -s tnn.quantized.tnnmodel "$golden/int8_t$merge.tnnmodel"'
done
check "merge type 0 and the name model are defaults" as_tnn
check "... for the same files" cmp -s model.quantized.tnnmodel "$golden/int8_t0.tnnmodel"
check "the names of TNN's document" eval 'as_tnn --document_names && [ -e model_quantized.tnnproto ] &&
  [ -e model_quantized.tnnmodel ]'
check "long names of options" run quantization_cmd --proto "$golden/float_v2.tnnproto" --model \
  "$golden/float_v2.tnnmodel" --input_path "x=$golden/samples" --blob_method 2 --weight_method 1 --bias 0,0,0,0 --scale \
  1,1,1,1 --reverse_channel 0 --merge_type 1 --output long --threads 1
check "a layer that is skipped stays in float" eval 'as_tnn -t 1 --skip_layers "d*,sum" -o skipped &&
  grep -q "\"Convolution dw" skipped.quantized.tnnproto && grep -q "\"Add sum" skipped.quantized.tnnproto'
ln -sf "$octavo" quantization_cmd
check "called by its name, with nothing to do, it explains itself" eval './quantization_cmd >out &&
  grep -q -- "--merge_type" out'
check "... and does the same" eval './quantization_cmd -p "$golden/float_v1.tnnproto" -m "$golden/float_v1.tnnmodel" \
  -i "$golden/samples" -o linked >out 2>err && cmp -s linked.quantized.tnnmodel "$golden/int8_t0.tnnmodel"'
check "the digits as a TNN model" gives 0 export "$digits/digits.onnx" --to tnn -o digits.tnnproto
check "... quantized from pictures" gives 0 quantization_cmd -p digits.tnnproto -m digits.tnnmodel -i images -b 2 -w 1 \
  -s 0.00392156862 -t 1 -o digits
check "... computes what the float model does" eval 'run verify digits.tnnproto digits.quantized.tnnproto \
  --images images --pixel-range 0,1 && grep -qE "SQNR [2-9][0-9]\." out'
refused 1 "zero points" "methods that no kernel of TNN runs" quantization_cmd -p digits.tnnproto -m digits.tnnmodel \
  -i images -b 3 -o refused
refused 4 "quantized already" "a TNN model that is quantized" quantization_cmd -p "$golden/int8_t0.tnnproto" \
  -m "$golden/int8_t0.tnnmodel" -i "$golden/samples" -o refused
refused 1 "there is no merge type 4" "a merge type that is none" quantization_cmd -p digits.tnnproto -m digits.tnnmodel \
  -i images -t 4 -o refused
refused 1 "--bias: 'a' found" "a bias that is no number" quantization_cmd -p digits.tnnproto -m digits.tnnmodel -i images -n a \
  -o refused
refused 2 no.tnnmodel "a model that is not there" quantization_cmd -p digits.tnnproto -m no.tnnmodel -i images -o refused

echo "# ncnn2table"
for form in ncnn:param tnn:tnnproto; do
  check "a float model whose sizes and factors are computed first, for ${form%:*}" gives 0 export "$data/unprepared.onnx" \
    --to "${form%:*}" -o "prepared.${form#*:}"
  check "... computes the same" eval 'gives 0 verify "$data/unprepared.onnx" "prepared.${form#*:}" --images "$data/cube.npy" &&
    grep -qE "SQNR (exact|1[0-9][0-9])" out'
done
check "the digits as an ncnn model" gives 0 export "$digits/digits.onnx" --to ncnn -o digits.param
ls images/*.png >list.txt
as_ncnn() { run ncnn2table digits.param digits.bin list.txt "$@" 'mean=[0]' 'norm=[0.00392156862]' 'shape=[8,8,1]' pixel=GRAY; }
for method in kl aciq; do
  check "method $method" as_ncnn $method.table thread=1 method=$method
  check "... has a row of weights and one of the input for each layer" eval '[ "$(grep -c "_param_0 " $method.table)" -gt 0 ] &&
    [ "$(grep -c "_param_0 " $method.table)" -eq "$(grep -vc "_param_0 " $method.table)" ]'
done
ln -sf "$octavo" ncnn2table
check "called by its name it does the same" eval './ncnn2table digits.param digits.bin list.txt linked.table "mean=[0]" \
  "norm=[0.00392156862]" "shape=[8,8,1]" pixel=GRAY >out 2>err && cmp -s kl.table linked.table'
refused 1 "method=eq" "a method whose numbers nobody can repeat" ncnn2table digits.param digits.bin list.txt refused.table \
  method=eq
refused 1 "'colour=RGB' is no setting" "a setting that is none" ncnn2table digits.param digits.bin list.txt refused.table \
  colour=RGB
refused 2 no.txt "a list that is not there" ncnn2table digits.param digits.bin no.txt refused.table
refused 1 "2 lists for 1 input of" "more lists than inputs" ncnn2table digits.param digits.bin list.txt,list.txt refused.table
