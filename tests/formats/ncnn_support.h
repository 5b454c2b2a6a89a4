#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ncnn/bin.h"
#include "ncnn/layer_reader.h"
#include "ncnn/model_writer.h"
#include "ncnn/param_text.h"
#include "octavo/graph.h"

namespace octavo::formats_test {

inline std::string golden_file(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(OCTAVO_SOURCE_DIR) / "tests" / "formats" / "golden" / name;
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The weights of golden/make_ncnn_tiny.py.
inline std::vector<int> tiny_integers(int count, int most) {
  std::vector<int> values;
  for (int i = 0; i < count; ++i) values.push_back(i * 7 % (2 * most + 1) - most);
  return values;
}

/// The Q/DQ graph that golden/ncnn_tiny.param and .bin are of.
inline Graph tiny_graph() {
  Graph graph = parse_graph(fmt::format(
      R"(graph "tiny" opset 13 {{
        input x: f32[1,2,4,4]
        const z: i8[] = {{0}}
        const xs: f32[] = {{0.5}}
        xq = QuantizeLinear(x, xs, z)
        xd = DequantizeLinear(xq, xs, z)
        const wi: i8[3,2,3,3] = {{{}}}
        const ws: f32[3] = {{0.25, 0.125, 0.0625}}
        const wz: i8[3] = {{0, 0, 0}}
        w = DequantizeLinear(wi, ws, wz) {{axis=0}}
        const b: f32[3] = {{1, -2, 0.5}}
        c = Conv "first" (xd, w, b) {{pads=[1,1,1,1]}}
        r = Relu "act" (c)
        const rs: f32[] = {{2}}
        rq = QuantizeLinear(r, rs, z)
        rd = DequantizeLinear(rq, rs, z)
        const vi: i8[3,1,3,3] = {{{}}}
        const vs: f32[3] = {{0.5, 0.25, 1}}
        v = DequantizeLinear(vi, vs, wz) {{axis=0}}
        d = Conv "second" (rd, v) {{group=3}}
        g = GlobalAveragePool "pool" (d)
        f = Flatten "flat" (g)
        const fs: f32[] = {{0.125}}
        fq = QuantizeLinear(f, fs, z)
        fd = DequantizeLinear(fq, fs, z)
        const ui: i8[2,3] = {{{}}}
        const us: f32[] = {{0.5}}
        u = DequantizeLinear(ui, us, z)
        const ub: f32[2] = {{0.25, -0.25}}
        y = Gemm "third" (fd, u, ub) {{transB=1}}
        output y
      }})",
      fmt::join(tiny_integers(54, 31), ","), fmt::join(tiny_integers(27, 127), ","),
      fmt::join(tiny_integers(6, 127), ",")));
  infer_shapes(graph);
  return graph;
}

inline Graph read_ncnn(const std::string& param, const std::string& weights) {
  Graph graph = formats::ncnn::LayerReader(std::as_bytes(std::span(weights))).read(formats::ncnn::parse_param(param));
  graph.check();
  return graph;
}

struct NcnnFiles {
  std::string param;
  std::string weights;
};

inline NcnnFiles write_ncnn(const Graph& graph) {
  const auto layers = formats::ncnn::require_layers(graph);
  const std::vector<std::byte> bytes = formats::ncnn::bin_bytes(layers);
  return {formats::ncnn::param_text(layers), {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

}  // namespace octavo::formats_test
