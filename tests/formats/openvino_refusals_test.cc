// What OpenVINO's forms refuse, because OpenVINO would take it and compute something else.
#include <catch2/catch.hpp>

#include "onnx_support.h"

using namespace octavo;
using formats_test::error_of;
using formats_test::TemporaryFolder;

TEST_CASE("OpenVINO's forms refuse activations of 16 bits, which it computes wrongly without a word") {
  Graph graph = parse_graph(
      "graph opset 21 { input x: f32[1,4] const s: f32[] = {0.001} const z: u16[] = {32768} "
      "q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) output y }");
  infer_shapes(graph);
  for (const char* name : {"openvino", "openvino-fakequantize"}) {
    TemporaryFolder folder;
    CHECK_THAT(error_of(ErrorCode::unsupported, [&] { export_model(graph, exporter_named(name), folder / "m.onnx"); }),
               Catch::Contains("u16") && Catch::Contains("8 bits at most"));
    CHECK(folder.files().empty());
  }

  Graph narrow = parse_graph(
      "graph opset 21 { input x: f32[1,4] const s: f32[] = {0.001} const z: u8[] = {128} "
      "q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) output y }");
  infer_shapes(narrow);
  TemporaryFolder folder;
  export_model(narrow, exporter_named("openvino"), folder / "m.onnx");
  CHECK(folder.files().size() == 1);
}
