#pragma once

#include <string>
#include <vector>

#include "octavo/graph.h"

namespace octavo::test {

/// A graph of one opset whose operators have another form or meaning in later ones.
struct UpgradeCase {
  int from = 13;
  std::string body;
  bool runs = true;  ///< in our executor; ONNX Runtime runs all but those that it refuses before as well
};

inline Graph graph_of(const UpgradeCase& test) {
  return parse_graph("graph opset " + std::to_string(test.from) + " { " + test.body + " output y }");
}

inline const std::vector<UpgradeCase>& upgrade_cases() {
  const std::string x = "input x: f32[2,3,4,5] ";
  static const std::vector<UpgradeCase> cases = {
      {7, x + "y = Clip(x) {min=-0.25, max=0.5}"},
      {8, x + "y = Clip(x) {min=0.0}"},
      {10, x + "y = Clip(x)"},
      {7, x + "y = Pad(x) {pads=[0,0,1,2,0,0,2,1], value=0.5}"},
      {10, x + "y = Pad(x) {pads=[0,0,1,2,0,0,2,1], mode=\"reflect\"}"},
      {9, x + "y = Pad(x) {pads=[0,0,1,2,0,0,2,1]}"},
      {7, x + "y = Slice(x) {starts=[1,0], ends=[3,-1], axes=[1,3]}"},
      {9, x + "y = Slice(x) {starts=[0,1], ends=[1,3]}"},
      {9, x + "y, i = TopK(x) {k=2, axis=2} output i"},
      {9, x + "y, i = TopK(x) {k=3} output i"},
      {7, x + "y = Upsample(x) {scales=[1.0,1.0,2.0,3.0]}"},
      {7, x + "y = Upsample(x) {scales=[1.0,1.0,2.0,1.5], mode=\"linear\"}"},
      {9, x + "const s: f32[4] = {1,1,2.5,2} y = Upsample(x, s) {mode=\"nearest\"}"},
      {9, x + "const s: f32[4] = {1,1,2.5,2} y = Upsample(x, s) {mode=\"linear\"}"},
      {10, x + "const s: f32[4] = {1,1,2,1.6} y = Resize(x, s)"},
      {10, x + "const s: f32[4] = {1,1,0.3,0.6} y = Resize(x, s)"},
      {10, x + "const s: f32[4] = {1,1,1.7,0.6} y = Resize(x, s) {mode=\"linear\"}"},
      {7, x + "y = Dropout(x) {ratio=0.3}"},
      {11, x + "y = Dropout(x) {ratio=0.3}"},
      {11, x + "a, y, b = Split(x) {axis=2, split=[1,2,1]} output b"},
      {12, x + "a, y = Split(x) {axis=2} output a"},
      {11, "input x: f32[2,1,3,1] y = Squeeze(x) {axes=[1,3]}"},
      {11, "input x: f32[2,1,3,1] y = Squeeze(x) {axes=[-1]}"},
      {11, "input x: f32[1,3] y = Squeeze(x)"},
      {12, x + "y = Unsqueeze(x) {axes=[0,5]}"},
      {11, x + "y = ReduceSum(x) {axes=[1,-1], keepdims=0}"},
      {12, x + "y = ReduceSum(x)"},
      {11, x + "y = ReduceMean(x) {axes=[2,3]}"},
      {7, "input x: f32[2,5] y = Softmax(x)"},
      {7, "input x: f32[2,5,1,1] y = Softmax(x)"},
      {11, "input x: f32[2,5,1,1] y = LogSoftmax(x) {axis=-3}"},
      {7, x + "y = Softmax(x)"},
      {7, x + "y = Softmax(x) {axis=2}"},
      {12, x + "y = LogSoftmax(x) {axis=-2}"},
      {11, x + "y = Softmax(x) {axis=0}"},
      {11, x + "a = Relu(x) y = Softmax(a) z = Neg(y) output z"},
      {11, "input x: f32[N,3,4] y = Softmax(x)"},
      {7,
       "input x: f32[2,3,4] const s: f32[3] = random(1) const v: f32[3] = random(2, 0.5, 1) "
       "y = BatchNormalization(x, s, s, s, v) {spatial=1}"},
      {7, x + "y = MaxPool(x) {kernel_shape=[2,2], strides=[2,2]}"},
      {9, x + "y = AveragePool(x) {kernel_shape=[2,2], pads=[1,1,0,0]}"},
      {11, "input x: f32[1,2,4,4] const r: f32[0] = {} const s: f32[4] = {1,1,2,2} y = Resize(x, r, s)"},
      // What changed between 13 and 21.
      {13, x + "y = ReduceMean(x) {axes=[2,3]}"},
      {13, x + "y = ReduceMax(x) {axes=[-1], keepdims=0}"},
      {13, x + "y = ReduceMin(x)"},
      {13, x + "y = ReduceProd(x) {axes=[0]}"},
      {13, x + "y = ReduceL1(x) {axes=[1]}"},
      {13, x + "y = ReduceL2(x) {axes=[1,2], keepdims=0}"},
      {13, x + "y = ReduceSumSquare(x) {axes=[3]}"},
      {17, x + "a = Exp(x) y = ReduceLogSum(a) {axes=[3]}"},
      {17, x + "y = ReduceLogSumExp(x) {axes=[2]}"},
      {13, x + "a, y = Split(x) {axis=2} output a"},
      {13, x + "const s: i64[3] = {1,2,1} a, y, b = Split(x, s) {axis=2} output a output b"},
      {13,
       "input x: f32[1,2,4,4] const r: f32[0] = {} const e: f32[0] = {} const s: i64[4] = {1,2,8,6} "
       "y = Resize(x, r, e, s) {mode=\"linear\", coordinate_transformation_mode=\"align_corners\"}"},
      {13, "input x: f32[1,2,4,4] const s: f32[4] = {1,1,2,1.5} y = Resize(x, _, s) {nearest_mode=\"floor\"}"},
      {13, "input x: f32[1,2,4,4] const s: f32[4] = {1,1,2,2} y = Resize(x, _, s) {mode=\"cubic\"}"},
      {13, x + "const p: i64[8] = {0,0,1,2,0,0,2,1} const v: f32[] = {0.5} y = Pad(x, p, v)"},
      {13, x + "const p: i64[8] = {0,0,1,2,0,0,2,1} y = Pad(x, p) {mode=\"edge\"}"},
      {13,
       "input x: f32[2,3,4] const s: f32[3] = random(1) const v: f32[3] = random(2, 0.5, 1) "
       "y = BatchNormalization(x, s, s, s, v)"},
      {13,
       x + "y = AveragePool(x) {kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1, ceil_mode=1, strides=[2,2]}"},
      {13, x + "const s: i64[3] = {0,-1,5} y = Reshape(x, s)"},
      {13, x + "a = HardSigmoid(x) b = LeakyRelu(a) {alpha=0.2} const o: f32[] = {0.5} c = Add(b, o) y = Mul(c, x)"},
      {13, x + "const axis: i64[] = {2} y = CumSum(x, axis)"},
      {13, x + "s = Shape(x) y = Expand(x, s)"},
      {13,
       x + "const s: f32[] = {0.02} const z: u8[] = {100} q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z)"},
      {13,
       x + "const s: f32[4] = {0.02,0.03,0.01,0.05} const z: i8[4] = {0,1,2,3} q = QuantizeLinear(x, s, z) {axis=2} "
           "y = DequantizeLinear(q, s, z) {axis=2}"},
      {18,
       "input x: f32[2,6,4] const s: f32[3] = {1,2,3} const b: f32[3] = {0.5,0,-1} "
       "y = GroupNormalization(x, s, b) {num_groups=3}",
       false},
      {16, "input x: f32[1,2,6,6] input g: f32[1,3,3,2] y = GridSample(x, g)", false},
      {16, "input x: f32[1,2,6,6] input g: f32[1,3,3,2] y = GridSample(x, g) {mode=\"bicubic\"}", false},
      {17, "input x: f32[1,8,6,1] y = DFT(x)", false},
      {17, "input x: f32[1,8,6,1] y = DFT(x) {axis=2}", false},
      {13,
       "input x: f32[1,2,8,8] const r: f32[2,4] = {0,0,6,6,1,2,7,5} const b: i64[2] = {0,0} "
       "y = RoiAlign(x, r, b) {output_height=3, output_width=2, spatial_scale=1.0, sampling_ratio=2}",
       false},
  };
  return cases;
}

}  // namespace octavo::test
