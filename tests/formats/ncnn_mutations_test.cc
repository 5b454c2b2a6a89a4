// Files that went wrong on their way or were made to harm: an Error or a graph, never anything else.
#include <array>
#include <catch2/catch.hpp>
#include <string_view>

#include "mutations.h"
#include "ncnn_support.h"
#include "octavo/error.h"

using namespace octavo;
using namespace octavo::formats_test;

namespace {

/// A float model of many layers beside the int8 sample.
NcnnFiles wide_model() {
  Graph graph = parse_graph(R"(graph opset 13 { input x: f32[1,4,8,8] const w: f32[4,4,3,3] = random(1)
    const b: f32[4] = random(2) c = Conv(x, w, b) {pads=[1,1,1,1]} r = Relu(c) m = MaxPool(r) {kernel_shape=[2,2], strides=[2,2]}
    const s: i64[1] = {1} const e: i64[1] = {3} const a: i64[1] = {1} k = Slice(m, s, e, a) p, q = Split(m) {axis=1}
    j = Concat(k, p, q) {axis=1} const d: f32[6,2,2,2] = random(3) t = ConvTranspose(j, d) {strides=[2,2]}
    const sc: f32[4] = {1,1,2,2} u = Resize(t, _, sc) {mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"}
    const shape: i64[3] = {1,2,-1} f = Reshape(u, shape) o = Transpose(f) {perm=[0,2,1]} y = Softmax(o) {axis=2} output y })");
  infer_shapes(graph);
  return write_ncnn(graph);
}

void check_mutations(const NcnnFiles& files, bool of_param) {
  static constexpr std::array<std::string_view, 12> kTokens{
      " -1",     " 2147483647", "\n",       " 0=-233", " 6=99999999999999999999", " -23300=1000000000,1",
      " 0=1e38", " x",          " 1 1 x y", "=",       "\xff\xff\xff\x7f",        " -23330=-5"};
  int read = 0;
  for (int i = 0; i < kMutations; ++i) {
    Mutator mutator(static_cast<std::uint32_t>(i));
    NcnnFiles mutated = files;
    std::string& file = of_param ? mutated.param : mutated.weights;
    file = mutator.mutated(std::move(file), kTokens);
    CAPTURE(i, of_param);
    try {
      read_ncnn(mutated.param, mutated.weights);
      ++read;
    } catch (const Error& error) {
      const bool expected = error.code() == ErrorCode::bad_model || error.code() == ErrorCode::unsupported;
      CHECK(expected);
      CHECK(std::string_view(error.what()).size() > 10);
    }
  }
  CHECK(read < kMutations);
}

}  // namespace

TEST_CASE("ncnn: a thousand broken files of each kind give an error or a sound graph") {
  const NcnnFiles tiny{golden_file("ncnn_tiny.param"), golden_file("ncnn_tiny.bin")};
  const NcnnFiles wide = wide_model();
  check_mutations(tiny, true);
  check_mutations(tiny, false);
  check_mutations(wide, true);
  check_mutations(wide, false);
}
