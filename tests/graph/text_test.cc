#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "octavo/graph.h"

namespace octavo {
namespace {

Graph round_trip(const std::string& text) {
  const Graph graph = parse_graph(text);
  graph.check();
  const std::string written = to_text(graph);
  INFO(written);
  const Graph again = parse_graph(written);
  again.check();
  CHECK(to_text(again) == written);
  return again;
}

const Tensor& constant_named(const Graph& graph, std::string_view name) {
  const auto id = graph.find_value(name);
  REQUIRE(id.has_value());
  REQUIRE(graph.constant(*id) != nullptr);
  return *graph.constant(*id);
}

std::string error_of(const std::string& text) {
  try {
    parse_graph(text);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::bad_model);
    return error.what();
  }
  return "no error";
}

TEST_CASE("the text of the documentation reads as it says") {
  const Graph graph = round_trip(R"(graph "name" opset 13, "com.microsoft" 1 {
      input x: f32[N,3,8,8]
      const w: f32[2,3,1,1] = random(7)
      const b: f32[2] = {1, -2.5}
      y = Conv "fire/squeeze" (x, w, b) {kernel_shape=[1,1], auto_pad="VALID"}
      z, indices = MaxPool(y) {kernel_shape=[2,2]}
      c = Clip(z, _, six)                     # left out
      const six: f32[] = {6}
      q = com.microsoft::Gelu(c)
      value y: f32[N,2,8,8]
      output q: f32[N,2,4,4]
    })");
  CHECK(graph.name == "name");
  CHECK(graph.opset() == 13);
  CHECK(graph.opsets.at("com.microsoft") == 1);
  const Value& x = graph.value(graph.inputs().at(0));
  CHECK(x.name == "x");
  CHECK(x.dtype == DType::f32);
  CHECK(*x.dims == Dims{{Dim::kUnknown, "N"}, {3, ""}, {8, ""}, {8, ""}});
  const std::vector<NodeId> nodes = graph.nodes();
  REQUIRE(nodes.size() == 4);
  const Node& conv = graph.node(nodes[0]);
  CHECK(conv.name == "fire/squeeze");
  CHECK(conv.inputs.size() == 3);
  CHECK(conv.ints_or("kernel_shape", {}) == std::vector<std::int64_t>{1, 1});
  CHECK(conv.string_or("auto_pad", "") == "VALID");
  CHECK(graph.node(nodes[1]).outputs.size() == 2);
  CHECK(graph.node(nodes[2]).input(1) == kNoValue);
  CHECK(graph.node(nodes[3]).domain == "com.microsoft");
  CHECK(graph.node(nodes[3]).op_type == "Gelu");
  CHECK(graph.value(conv.output(0)).static_shape() == std::nullopt);
  CHECK(graph.value(conv.output(0)).dims->at(1).size == 2);
  CHECK(constant_named(graph, "b").data<float>()[1] == -2.5F);
  CHECK(constant_named(graph, "six").rank() == 0);
  CHECK(graph.value(graph.outputs().at(0)).dims->at(2).size == 4);
}

TEST_CASE("every part of a graph survives writing and reading") {
  const Graph graph = round_trip(R"(graph "a \"b\" \\ \n\x01" opset 17, "x y" 2 ir 8 producer "p" "1.0" domain "org"
    model_version -3 doc "line\nline" {
      metadata "k" = "v"
      metadata "k" = ""
      extra "functions" = opaque("onnx", "00ff7a")
      input "a:0": ?[?,N=3,"s t"] doc "an input"
      input w: f32[2]
      input bare
      const w: f32[2] = {nan, -inf}
      const o: opaque[2] = opaque("onnx", "0102")
      const h: f16[2] = {0x3c00, 0x7e01} doc "halves"
      const t: bool[3] = {true, 0, 1}
      const e: i64[0] = {}
      value "input": f64
      value lone
      "input", _ = "Odd Op" (bare, _, "a:0") {i=-9223372036854775808, f=0.1, g=1.0, n=nan, m=-inf, s="", ints=[],
        floats=floats[], strings=strings[], "odd key"=["a", "b\xff"], mixed=[1, 2.5], t=i8[2,1] {-128, 127},
        o=opaque("onnx", "")} captures(w, w) doc "why"
      = Sink(w)
      empty = Nothing()
      output "input"
      output bare
      output bare
    })");
  CHECK(graph.name == "a \"b\" \\ \n\x01");
  CHECK(graph.opsets.at("x y") == 2);
  CHECK(graph.ir_version == 8);
  CHECK(graph.model_version == -3);
  CHECK(graph.metadata.size() == 2);
  CHECK(graph.extras.at("functions").bytes == std::string("\x00\xff\x7a", 3));
  CHECK(graph.inputs().size() == 3);
  CHECK(graph.outputs().size() == 3);
  CHECK(*graph.value(*graph.find_value("a:0")).dims == Dims{{}, {3, "N"}, {Dim::kUnknown, "s t"}});
  CHECK(graph.value(*graph.find_value("o")).opaque_constant == Opaque{"onnx", "\x01\x02"});
  CHECK(std::isnan(constant_named(graph, "w").data<float>()[0]));
  CHECK(constant_named(graph, "t").data<bool>()[2]);
  CHECK(constant_named(graph, "e").size() == 0);
  const Node& node = graph.node(graph.nodes()[0]);
  CHECK(node.int_or("i", 0) == std::numeric_limits<std::int64_t>::min());
  CHECK(node.float_or("f", 0) == 0.1F);
  CHECK(node.float_or("g", 0) == 1.0F);
  CHECK(std::holds_alternative<std::vector<std::int64_t>>(node.attributes.at("ints")));
  CHECK(std::holds_alternative<std::vector<float>>(node.attributes.at("floats")));
  CHECK(std::holds_alternative<std::vector<std::string>>(node.attributes.at("strings")));
  CHECK(node.floats_or("mixed", {}) == std::vector<float>{1, 2.5});
  CHECK(node.tensor("t")->data<std::int8_t>()[0] == -128);
  CHECK(node.captured.size() == 2);
  CHECK(node.doc == "why");
}

TEST_CASE("elements can be made instead of listed") {
  const Graph graph = parse_graph(R"(graph {
    const fill: f32[2,2] = fill(0.5)
    const range: f32[5] = range(-1, 1)
    const ints: i32[5] = range(10, 0)
    const huge: i64[4] = range(-9223372036854775808, 9223372036854775807)
    const unit: f32[1000] = random(1)
    const same: f32[1000] = random(1)
    const other: f32[1000] = random(2)
    const bytes: u8[1000] = random(3)
    const small: i32[1000] = random(3, -2, 2)
    const wide: i64[4] = random(3, -9223372036854775808, 9223372036854775807)
  })");
  const auto values = [&](std::string_view name) { return constant_named(graph, name).data<float>(); };
  CHECK(values("fill")[3] == 0.5F);
  CHECK(std::vector<float>(values("range").begin(), values("range").end()) == std::vector<float>{-1, -.5, 0, .5, 1});
  const auto ints = constant_named(graph, "ints").data<std::int32_t>();
  CHECK(std::vector<std::int32_t>(ints.begin(), ints.end()) == std::vector<std::int32_t>{10, 8, 5, 2, 0});
  CHECK(constant_named(graph, "huge").data<std::int64_t>()[3] == std::numeric_limits<std::int64_t>::max());
  CHECK(std::equal(values("unit").begin(), values("unit").end(), values("same").begin()));
  CHECK_FALSE(std::equal(values("unit").begin(), values("unit").end(), values("other").begin()));
  float sum = 0;
  for (const float v : values("unit")) {
    CHECK((v >= -1 && v < 1));
    sum += v;
  }
  CHECK(std::abs(sum) < 60);  // three standard deviations
  bool seen[5] = {};
  for (const std::int32_t v : constant_named(graph, "small").data<std::int32_t>()) {
    REQUIRE((v >= -2 && v <= 2));
    seen[v + 2] = true;
  }
  CHECK(std::all_of(std::begin(seen), std::end(seen), [](bool s) { return s; }));
}

TEST_CASE("4-bit integers stay within their range") {
  const Graph graph = round_trip(R"(graph opset 21 {
    const a: i4[4] = {-8, 7, 0, -1} const b: u4[3] = {0, 15, 9} const r: i4[64] = random(3) const s: u4[64] = random(4)
    const t: i4[3] = range(-8, 7) output a output b output r output s output t })");
  CHECK(constant_named(graph, "a").dtype() == DType::i4);
  CHECK(constant_named(graph, "a").byte_size() == 4);
  CHECK(constant_named(graph, "a").data<Int4>()[0] == -8);
  CHECK(constant_named(graph, "b").data<UInt4>()[1] == 15);
  CHECK(constant_named(graph, "t").data<Int4>()[1] == 0);  // -0.5, to even
  const auto signed_values = constant_named(graph, "r").data<Int4>();
  const auto [low, high] = std::minmax_element(signed_values.begin(), signed_values.end());
  CHECK(*low == -8);
  CHECK(*high == 7);
  const auto unsigned_values = constant_named(graph, "s").data<UInt4>();
  CHECK(*std::max_element(unsigned_values.begin(), unsigned_values.end()) == 15);
  for (const char* beyond : {"i4[1] = {8}", "i4[1] = {-9}", "u4[1] = {16}", "u4[1] = {-1}", "i4[1] = fill(9)"}) {
    CAPTURE(beyond);
    CHECK_THROWS_AS(parse_graph(std::string("graph { const c: ") + beyond + " }"), Error);
  }
}

TEST_CASE("an error of the text names line and column") {
  CHECK(error_of("grph {}") == "graph text 1:1: expected 'graph'");
  CHECK(error_of("graph {\n  y = Relu(x)\n}") == "graph text 2:12: value 'x' is used, but nothing defines it");
  CHECK(error_of("graph {\n  input x: f99[2]\n}").starts_with("graph text 2:12: 'f99' is no element type"));
  CHECK(
      error_of("graph {\n  const c: f32[2] = {1}\n}").starts_with("graph text 2:23: the shape holds 2 elements, but"));
  CHECK(error_of("graph {\n  const c: f32[1] = {1, 2}\n}").starts_with("graph text 2:25: the shape holds 1 elements"));
  CHECK(error_of("graph {\n  const c: i8[1] = {128}\n}").starts_with("graph text 2:21: '128' is no number"));
  CHECK(error_of("graph {\n  const c: f32[N] = {1}\n}").starts_with("graph text 2:12: a constant needs"));
  CHECK(error_of("graph {\n input x \n y = Relu(x)\n y = Relu(x) }").starts_with("graph text 4:2: value 'y' cannot"));
  CHECK(error_of("graph {\n input x y = Op(x) {a=1, a=2} }")
            .starts_with("graph text 2:26: attribute 'a' is given twice"));
  CHECK(error_of("graph {\n input x \n input x }").starts_with("graph text 3:8: input 'x' is listed twice"));
  CHECK(error_of("graph {\n input x \n input y \n x = Op(y) }").starts_with("graph text 2:8: input 'x' is computed"));
  CHECK(error_of("graph { \"abc\n\" }") == "graph text 1:9: a string does not end on its line");
  CHECK(error_of("graph { } x") == "graph text 1:11: expected nothing after the graph, found 'x'");
  CHECK(error_of("graph { input x: f32[-1] }").starts_with("graph text 1:22: a dimension is negative"));
  CHECK(error_of("graph { output nowhere }").starts_with("graph text 1:16: value 'nowhere' is used"));
}

TEST_CASE("a constant larger than allowed is refused before it is made") {
  CHECK_THROWS_AS(parse_graph("graph { const c: f32[268435457] = fill(0) }"), Error);
  CHECK_THROWS_AS(parse_graph("graph { const c: f32[9223372036854775807,9223372036854775807] = fill(0) }"), Error);
  CHECK(error_of("graph { const c: f32[268435456] = {1} }").find("more than the text has") != std::string::npos);
}

TEST_CASE("text cut or changed anywhere gives a graph or an error") {
  const std::string text = R"(graph "g" opset 13 { input x: f32[N,3] const c: f32[2] = {1, -2e3} metadata "a" = "b"
    y, _ = d::Op "n" (x, _, c) {a=[1,2], b="s", t=u8[2] range(0, 9), o=opaque("f", "00")} captures(x) output y })";
  std::size_t errors = 0;
  const auto attempt = [&](const std::string& broken) {
    try {
      parse_graph(broken).check();
    } catch (const Error&) {
      ++errors;
    }
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    attempt(text.substr(0, i));
    for (const char c : std::string("\"{}[]()=,:?-9a\\#\n\xff") + '\0') {
      std::string changed = text;
      changed[i] = c;
      attempt(changed);
    }
  }
  CHECK(errors > text.size());
}

TEST_CASE("large constants are shortened on request") {
  const Graph graph = parse_graph("graph { const c: f32[3] = {1, 2, 3} const s: f32[] = {4} }");
  const std::string text = to_text(graph, 2);
  CHECK(text == "graph {\n  const c: f32[3] = ...\n  const s: f32[] = {4.0}\n}\n");
  CHECK_THROWS_AS(parse_graph(text), Error);
}

}  // namespace
}  // namespace octavo
