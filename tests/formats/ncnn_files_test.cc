// The layout of .param and .bin, against golden/ncnn_tiny.*, which a script wrote from the format's description.
#include <algorithm>
#include <catch2/catch.hpp>

#include "ncnn/calibration_table.h"
#include "ncnn_support.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "onnx_support.h"

using namespace octavo;
using namespace octavo::formats::ncnn;
using namespace octavo::formats_test;

namespace {

std::vector<float> floats(const Tensor& tensor) { return {tensor.data<float>().begin(), tensor.data<float>().end()}; }

std::vector<int> bytes(const Tensor& tensor) {
  return {tensor.data<std::int8_t>().begin(), tensor.data<std::int8_t>().end()};
}

const Node& node_named(const Graph& graph, std::string_view name) {
  for (const NodeId id : graph.nodes()) {
    if (graph.node(id).name == name) return graph.node(id);
  }
  FAIL("no node " << name);
  return graph.node(graph.nodes().front());
}

std::string error_of_param(const std::string& text) {
  try {
    parse_param(text);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::bad_model);
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("ncnn: every field of the sample is where the format has it") {
  const std::vector<Layer> layers = parse_param(golden_file("ncnn_tiny.param"));
  REQUIRE(layers.size() == 7);
  const Layer& first = layers[1];
  CHECK(first.type == "Convolution");
  CHECK(first.name == "first");
  CHECK(first.bottoms == std::vector<std::string>{"x"});
  CHECK(first.tops == std::vector<std::string>{"r"});
  CHECK(first.params.int_or(0, -1) == 3);
  CHECK(first.params.int_or(6, -1) == 54);
  CHECK(first.params.int_or(8, -1) == 102);
  CHECK(first.params.int_or(9, -1) == 1);
  CHECK(first.params.ints(30) == std::vector<std::int32_t>{3, 4, 4, 3});
  CHECK(layers[2].params.int_or(7, -1) == 3);
  CHECK(layers[4].params.int_or(2, 0) == -1);

  const std::string weights = golden_file("ncnn_tiny.bin");
  BinReader bin(std::as_bytes(std::span(weights)));
  CHECK(bytes(bin.tagged(54)) == tiny_integers(54, 31));
  CHECK(floats(bin.plain(3)) == std::vector<float>{1, -2, 0.5F});
  CHECK(floats(bin.plain(3)) == std::vector<float>{4, 8, 16});
  CHECK(floats(bin.plain(1)) == std::vector<float>{2});
  CHECK(floats(bin.plain(1)) == std::vector<float>{0.5F});
  CHECK(bytes(bin.tagged(27)) == tiny_integers(27, 127));
  CHECK(floats(bin.plain(3)) == std::vector<float>{2, 4, 1});
  CHECK(floats(bin.plain(1)) == std::vector<float>{0.5F});
  CHECK(bytes(bin.tagged(6)) == tiny_integers(6, 127));
  CHECK(floats(bin.plain(2)) == std::vector<float>{0.25F, -0.25F});
  CHECK(floats(bin.plain(2)) == std::vector<float>{2, 2});
  CHECK(floats(bin.plain(1)) == std::vector<float>{8});
  CHECK(bin.rest() == 0);
  CHECK_THROWS_AS(bin.plain(1), Error);
}

TEST_CASE("ncnn: the graph of the sample is written as the sample, byte for byte") {
  const NcnnFiles files = write_ncnn(tiny_graph());
  CHECK(files.param == golden_file("ncnn_tiny.param"));
  CHECK((files.weights == golden_file("ncnn_tiny.bin")));
}

TEST_CASE("ncnn: the sample is read as the graph it was written from, and written again as it was") {
  const Graph graph = read_ncnn(golden_file("ncnn_tiny.param"), golden_file("ncnn_tiny.bin"));
  REQUIRE(graph.outputs().size() == 1);
  CHECK(graph.value(graph.outputs().front()).name == "y");
  CHECK(graph.value(graph.inputs().front()).static_shape() == Shape{1, 2, 4, 4});
  CHECK(node_named(graph, "first").op_type == "Conv");
  CHECK(node_named(graph, "second").op_type == "Conv");
  CHECK(node_named(graph, "third").op_type == "Gemm");
  const NcnnFiles again = write_ncnn(graph);
  const std::vector<Layer> layers = parse_param(again.param);
  const std::vector<Layer> before = parse_param(golden_file("ncnn_tiny.param"));
  CHECK((again.weights == golden_file("ncnn_tiny.bin")));
  REQUIRE(layers.size() >= before.size());
  CHECK(layers[1].params.values() == before[1].params.values());
}

TEST_CASE("ncnn: the calibration table has weights first, by the layers' names") {
  CHECK(calibration_table(require_layers(tiny_graph())) ==
        "first_param_0 4.000000 8.000000 16.000000 \n"
        "second_param_0 2.000000 4.000000 1.000000 \n"
        "third_param_0 2.000000 2.000000 \n"
        "first 2.000000 \nsecond 0.500000 \nthird 8.000000 \n");
}

TEST_CASE("ncnn: a table comes with the float model that it holds for, by the same names") {
  const TemporaryFolder folder;
  const auto files = export_model(tiny_graph(), exporter_named("ncnn-table"), folder / "t.table");
  CHECK(folder.files() == std::vector<std::string>{"t.table", "t_float.bin", "t_float.param"});
  REQUIRE(files.size() == 3);
  const Graph floats = load_model(folder / "t_float.param");
  CHECK(node_named(floats, "first").op_type == "Conv");
  const Tensor* weight = floats.constant(node_named(floats, "first").input(1));
  REQUIRE(weight != nullptr);
  CHECK(weight->data<float>().front() == -31 * 0.25F);
}

TEST_CASE("ncnn: weights are read as floats, halves, a table's entries or as they were scaled") {
  const auto tagged = [](std::uint32_t tag, std::vector<std::uint8_t> data, std::int64_t count) {
    std::vector<std::byte> file;
    for (int i = 0; i < 4; ++i) file.push_back(static_cast<std::byte>(tag >> (8 * i)));
    for (const std::uint8_t byte : data) file.push_back(std::byte{byte});
    BinReader reader(file);
    Tensor tensor = reader.tagged(count);
    CHECK(reader.rest() == 0);
    return floats(tensor);
  };
  CHECK(tagged(0, {0, 0, 0x80, 0x3f}, 1) == std::vector<float>{1});
  CHECK(tagged(0x0002C056, {0, 0, 0, 0xc0}, 1) == std::vector<float>{-2});
  // 1, -2, the smallest number above zero, and two bytes that fill up.
  CHECK(tagged(0x01306B47, {0, 0x3c, 0, 0xc0, 1, 0, 0, 0}, 3) == std::vector<float>{1, -2, 0x1p-24F});
  std::vector<std::uint8_t> table(1024, 0);
  table[4 * 5 + 3] = 0x40;  // entry 5 is 2
  table.insert(table.end(), {5, 0, 5, 0});
  CHECK(tagged(7, table, 3) == std::vector<float>{2, 0, 2});
}

TEST_CASE("ncnn: parameters are integers, numbers, lists in both forms, and texts") {
  const auto params =
      parse_param("7767517\n1 1\nA b 0 1 c 0=3 1=-1.5e+01 -23302=2,1,-2 3=0.5,2.5 4=word 5=\"two words\"");
  const Params& p = params.front().params;
  CHECK(p.int_or(0, 0) == 3);
  CHECK(p.float_or(1, 0) == -15.0F);
  CHECK(p.ints(2) == std::vector<std::int32_t>{1, -2});
  CHECK(p.floats(3) == std::vector<float>{0.5F, 2.5F});
  CHECK(p.values().at(4) == Param(std::string("word")));
  CHECK(p.values().at(5) == Param(std::string("two words")));
  CHECK_THROWS_AS(p.float_or(0, 0), Error);  // ncnn would take its bits for a float's
  CHECK_THROWS_AS(p.int_or(1, 0), Error);
}

TEST_CASE("ncnn: what a .param file has wrong is said with its line") {
  CHECK(error_of_param("7767518\n0 0\n").find("line 1: the file begins with 7767518") == 0);
  CHECK(error_of_param("7767517\n2 1\nInput a 0 1 a\n").find("after 1 of 2 layers") != std::string::npos);
  CHECK(error_of_param("7767517\n0 0\nInput a 0 1 a\n").find("more layers than 0") != std::string::npos);
  CHECK(error_of_param("7767517\n1 1\nInput a 0 1 a 32=1\n").find("line 3: parameter 32") == 0);
  CHECK(error_of_param("7767517\n1 1\nInput a 0 1 a -23300=3,1,2\n").find("announces 3") != std::string::npos);
  CHECK(error_of_param("7767517\n1 1\nInput a 0 99999 a\n").find("is 99999, expected 0 to") != std::string::npos);
  CHECK(error_of_param("7767517\n99999999999 1\n").find("the number of layers") != std::string::npos);
  CHECK(error_of_param("7767517\n1 1\nInput " + std::string(256, 'n') + " 0 1 a\n").find("256 characters") !=
        std::string::npos);
}

TEST_CASE("ncnn: numbers are written with the digits they need and no more than ncnn reads") {
  Layer layer;
  layer.type = "Clip";
  layer.name = "c";
  layer.tops = {"y"};
  layer.params.set(0, -0.1F);
  layer.params.set(1, 6.0F);
  const std::string text = param_text(std::vector<Layer>{layer});
  CHECK(text.find("1=6.000000e+00") != std::string::npos);
  CHECK(parse_param(text).front().params.float_or(0, 0) == -0.1F);
}
