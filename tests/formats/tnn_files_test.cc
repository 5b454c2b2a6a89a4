// TNN's two files, field by field, and as they are written again.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "octavo/error.h"
#include "onnx_support.h"
#include "tnn_support.h"

using namespace octavo;
using namespace octavo::formats::tnn;
using namespace octavo::formats_test;

namespace {

std::string dump(const Buffer& buffer) {
  return fmt::format(" {}[{}]{}", name_of(buffer.data.dtype()), buffer.empty() ? 0 : buffer.data.size(),
                     buffer.dims.empty() ? std::string() : fmt::format("({})", fmt::join(buffer.dims, "x")));
}

/// One line a resource: what it is of and what its buffers hold.
std::string dump_model(const std::string& bytes) {
  std::string text;
  for (const Resource& resource : read_resources(std::as_bytes(std::span(bytes)))) {
    text += fmt::format("{} {}{}", resource.type, resource.name, resource.has_bias ? " bias" : "");
    for (const Buffer& buffer : resource.buffers) text += dump(buffer);
    text += '\n';
  }
  return text;
}

std::vector<float> floats_of_buffer(const Buffer& buffer) {
  const auto values = buffer.data.data<float>();
  return {values.begin(), values.end()};
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("TNN: version 2's fields") {
  const TnnFiles files = tnn_golden("float_v2");
  const Proto proto = parse_proto(files.proto);
  CHECK(proto.version == Version::v2);
  REQUIRE(proto.inputs.size() == 1);
  CHECK(proto.inputs[0].name == "x");
  CHECK(proto.inputs[0].dims == std::vector<std::int64_t>{1, 2, 8, 8});
  CHECK(proto.inputs[0].dtype == 0);
  CHECK(proto.outputs == std::vector<std::string>{"out"});
  REQUIRE(proto.layers.size() == 9);
  const Layer& conv = proto.layers[0];
  CHECK(conv.type == "Convolution");
  CHECK_FALSE(conv.quantized);
  CHECK(conv.inputs == std::vector<std::string>{"x"});
  CHECK(conv.outputs == std::vector<std::string>{"c1"});
  CHECK(fmt::format("{}", fmt::join(conv.params, " ")) == "1 2 4 3 3 1 1 1 1 1 -1 1 1 0");
  CHECK(proto.layers[3].inputs == std::vector<std::string>{"r1", "d"});
  CHECK(dump_model(files.model) ==
        "Convolution conv1 bias f32[72](4x2x3x3) f32[4](4)\n"
        "Convolution dw bias f32[36](4x1x3x3) f32[4](4)\n"
        "InnerProduct fc f32[12](3x4) f32[3](3)\n");
}

TEST_CASE("TNN: version 1 has no dimensions of constants, and is the same model") {
  const TnnFiles files = tnn_golden("float_v1");
  CHECK(parse_proto(files.proto).version == Version::v1);
  CHECK(parse_proto(files.proto).inputs[0].dims == std::vector<std::int64_t>{1, 2, 8, 8});
  CHECK(dump_model(files.model) ==
        "Convolution conv1 bias f32[72] f32[4]\nConvolution dw bias f32[36] f32[4]\nInnerProduct fc f32[12] f32[3]\n");
  CHECK(to_text(read_tnn(files)) == to_text(read_tnn(tnn_golden("float_v2"))));
}

TEST_CASE("TNN: an integer model's fields, in its packer's order") {
  const TnnFiles files = tnn_golden("int8_t1");
  const Proto proto = parse_proto(files.proto);
  CHECK(proto.layers[0].quantized);
  CHECK(proto.layers[0].type == "Convolution");
  CHECK(proto.layers[0].params.back() == "1");  // ReLU
  CHECK_FALSE(proto.layers[5].quantized);       // averages are floats
  CHECK(dump_model(files.model) ==
        "BlobScale x_scale_data_ i8[1] f32[1] i32[1]\n"
        "Convolution conv1 bias i8[72] i32[4] i8[4] f32[4]\n"
        "BlobScale r1_scale_data_ i8[1] f32[1] i32[1]\n"
        "Convolution dw bias i8[36] i32[4] i8[4] f32[4]\n"
        "BlobScale d_scale_data_ i8[1] f32[1] i32[1]\n"
        "BlobScale sum_scale_data_ i8[1] f32[1] i32[1]\n"
        "BlobScale r2_scale_data_ i8[1] f32[1] i32[1]\n"
        "BlobScale m_scale_data_ i8[1] f32[1] i32[1]\n"
        "BlobScale f_scale_data_ i8[1] f32[1] i32[1]\n"
        "InnerProduct fc i8[12] i32[3] i8[3] f32[3]\n"
        "BlobScale out_scale_data_ i8[1] f32[1] i32[1]\n");
  CHECK(contains(dump_model(tnn_golden("int8_t0").model), "BlobScale r1_scale_data_ i8[4] f32[4] i32[4]\n"));
  CHECK(contains(dump_model(tnn_golden("int8_t2").model), "Convolution conv1 bias i8[72] i32[4] i8[1] f32[1]\n"));
}

TEST_CASE("TNN: an integer model as a graph: pairs, weights divided by the step of their input, int32 biases") {
  const TnnFiles files = tnn_golden("int8_t1");
  const Graph graph = read_tnn(files);
  const auto resources = read_resources(std::as_bytes(std::span(files.model)));
  const float step = floats_of_buffer(resources[0].buffers[1])[0];
  const std::vector<float> handle = floats_of_buffer(resources[1].buffers.back());
  std::size_t found = 0;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.name != "conv1") continue;
    ++found;
    const Node& input = graph.node(graph.producer(node.input(0)));
    CHECK(input.op_type == "DequantizeLinear");
    CHECK(graph.constant(input.input(1))->data<float>()[0] == step);
    const Node& weight = graph.node(graph.producer(node.input(1)));
    const Tensor& steps = *graph.constant(weight.input(1));
    REQUIRE(steps.size() == 4);
    for (std::size_t o = 0; o < 4; ++o) {
      CHECK(steps.data<float>()[o] * step == Approx(handle[o]).epsilon(1e-6));
    }
    const Node& bias = graph.node(graph.producer(node.input(2)));
    CHECK(graph.constant(bias.input(0))->dtype() == DType::i32);
    CHECK(graph.constant(bias.input(1))->data<float>()[1] == handle[1]);
  }
  CHECK(found == 1);
}

TEST_CASE("TNN: what is read is written again to the byte") {
  for (const char* const name : {"int8_t0", "int8_t1", "int8_t2"}) {
    INFO(name);
    const TnnFiles files = tnn_golden(name);
    const TnnFiles again = written_tnn(read_tnn(files));
    CHECK(again.proto == files.proto);
    CHECK(again.model == files.model);
  }
  // A ReLU becomes its convolution's.
  const TnnFiles files = tnn_golden("float_v2");
  const TnnFiles again = written_tnn(read_tnn(files));
  CHECK(again.model == files.model);
  CHECK(contains(again.proto, "\"Convolution conv1 1 1 x r1 1 2 4 3 3 1 1 1 1 1 -1 1 1 1 ,\""));
  CHECK(written_tnn(read_tnn(tnn_golden("float_v1")), Version::v1).model == tnn_golden("float_v1").model);
}

TEST_CASE("TNN: the reader's own rules for text") {
  const Proto proto = parse_proto(
      "\"1 4 1 4206624772 ,\"\n\"a 2 1 3 0 : b 2 1 3 0 ,\"ignored,y ,\" 1 \",Quan\"tizedAdd  s 2 1 a b y -1 ,,");
  REQUIRE(proto.inputs.size() == 2);
  CHECK(proto.inputs[1].name == "b");
  REQUIRE(proto.layers.size() == 1);
  CHECK(proto.layers[0].quantized);
  CHECK(proto.layers[0].params == std::vector<std::string>{"-1"});
  const auto refused = [](const std::string& text) {
    return error_of(ErrorCode::bad_model, [&] { parse_proto(text); });
  };
  CHECK(contains(refused("1 2 1 77 ,x 1 3 0,x,y,1,ReLU r 1 1 x y,"), "4206624772"));
  CHECK(contains(refused("1 2 1 ,x 1 3 0,x,y,1,ReLU r 1 1 x y,"), "missing"));
  CHECK(contains(refused("1 2 1 4206624772,x 1 3 0,x,y"), "records"));
  CHECK(contains(refused("1 2 1 4206624772,x 9 3 0,x,y,1,ReLU r 1 1 x y"), "dimensions"));
  CHECK(contains(refused("1 2 1 4206624772,x 1 3 0,x,y,1,ReLU r 5 1 x y"), "further tokens"));
  CHECK(contains(refused("1 2 1 4206624772,x 1 3 0,x,y,1,ReLU r 1 1 x " + std::string(5000, 'y')), "4095"));
}

TEST_CASE("TNN: older int8 layers have no zero points") {
  Resource resource;
  resource.type = "BlobScale";
  resource.name = "x_scale_data_";
  resource.buffers.resize(2);
  resource.buffers[0].data = Tensor::from<float>({2}, {0.5F, 0.25F});
  resource.buffers[1].data = Tensor(DType::i32, {2});
  const auto read = read_resources(resource_bytes(std::vector<Resource>{resource}, Version::v1));
  REQUIRE(read.size() == 1);
  REQUIRE(read[0].buffers.size() == 3);
  CHECK(read[0].buffers[0].data.dtype() == DType::i8);
  CHECK(floats_of_buffer(read[0].buffers[1]) == std::vector<float>{0.5F, 0.25F});
}
