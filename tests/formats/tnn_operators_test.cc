// Which layers operators become, and what is refused.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "octavo/error.h"
#include "octavo/execute.h"
#include "onnx_support.h"
#include "tnn_support.h"

using namespace octavo;
using namespace octavo::formats_test;

namespace {

/// The text's layers.
std::string layers(const std::string& body) {
  std::string text = written_tnn(tnn_graph(body)).proto;
  for (int i = 0; i < 5; ++i) text.erase(0, text.find('\n') + 1);
  return text;
}

std::string reasons(const std::string& body) {
  std::string all;
  const Graph graph = tnn_graph(body);
  for (const UnsupportedNode& node : formats::tnn::ModelWriter(graph, formats::tnn::Version::v2).write_layers()) {
    all += describe(graph, node.node) + ": " + node.reason + "\n";
  }
  return all;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const std::string kPair =
    "const s: f32[] = {0.5} const z: i8[] = {0} xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) ";
const std::string kWeight =
    "const wi: i8[1,1,1,1] = {5} const ws: f32[1] = {0.25} const wz: i8[1] = {0} "
    "w = DequantizeLinear(wi, ws, wz) {axis=0} ";

}  // namespace

TEST_CASE("TNN: padding of one end is a layer of its own, but where the output's size says as much") {
  CHECK(layers("input x: f32[1,1,5,5] const w: f32[1,1,3,3] = random(1) y = Conv \"c\" (x, w) {pads=[0,1,1,2]}") ==
        "\"Pad c_pad 1 1 x c_pad 0 0 0 1 1 2 0 0 0 0 ,\"\n\"Convolution c 1 1 c_pad y 1 1 1 3 3 1 1 0 0 0 -1 1 1 0 "
        ",\"\n");
  CHECK(layers("input x: f32[1,1,6,6] const w: f32[1,1,3,3] = random(1) "
               "y = Conv \"c\" (x, w) {pads=[0,0,1,1], strides=[2,2]}") ==
        "\"Convolution c 1 1 x y 1 1 1 3 3 2 2 0 0 0 0 1 1 0 ,\"\n");
}

TEST_CASE("TNN: activations go into convolutions that they alone read") {
  const std::string conv =
      "input x: f32[1,1,5,5] const w: f32[1,1,1,1] = {1} const l: f32[] = {0} const h: f32[] = {6} ";
  CHECK(contains(layers(conv + "c = Conv \"c\" (x, w) y = Clip(c, l, h)"), "x y 1 1 1 1 1 1 1 0 0 0 -1 1 1 2 ,"));
  CHECK(contains(layers(conv + "c = Conv \"c\" (x, w) r = Relu \"r\" (c) y = Add(r, c)"), "ReLU r 1 1 c r"));
}

TEST_CASE("TNN: slopes are one number or one a channel, however the exporter writes their shape") {
  const auto with_slope = [](const char* shape) {
    return fmt::format("input x: f32[1,4,6,6] const s: f32[{}] = random(1) y = PRelu \"p\" (x, s)", shape);
  };
  CHECK(layers(with_slope("4,1,1")) == "\"PReLU p 1 1 x y 0 0 ,\"\n");
  CHECK(layers(with_slope("1,4,1,1")) == "\"PReLU p 1 1 x y 0 0 ,\"\n");  // Keras
  CHECK(layers(with_slope("1")) == "\"PReLU p 1 1 x y 1 0 ,\"\n");
  CHECK(contains(reasons(with_slope("1,1,6,6")), "neither one number nor one a channel"));
  CHECK(contains(reasons(with_slope("4,1,6")), "neither one number nor one a channel"));
}

TEST_CASE("TNN: windows whose number its padding cannot give") {
  const std::string x = "input x: f32[1,1,6,6] ";
  CHECK(contains(layers(x + "y = MaxPool \"p\" (x) {kernel_shape=[3,3], strides=[2,2], pads=[0,0,1,1]}"),
                 "0 3 3 2 2 0 0 -1 -1 -1 1 0 -1 -1"));
  CHECK(contains(layers(x + "y = AveragePool \"p\" (x) {kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1}"),
                 "Pad p_pad 1 1 x p_pad 0 0 1 1 1 1 0 0 0 0 ,"));
  CHECK(contains(reasons(x + "y = MaxPool(x) {kernel_shape=[2,2], dilations=[2,2]}"), "gaps"));
}

TEST_CASE("TNN: it knows scales by sizes alone") {
  const auto resized = [](const char* scales) {
    return reasons(fmt::format(
        "input x: f32[1,1,32,32] const s: f32[4] = {{1,1,{}}} y = Resize(x, _, s) {{mode=\"linear\"}}", scales));
  };
  CHECK(contains(resized("1.7,2.3"), "scales are not those of its sizes"));
  CHECK(resized("1.5,2").empty());
}

TEST_CASE("TNN: all that cannot be written is said at once") {
  const std::string all = reasons("input x: f32[1,4,6,6] a = LRN \"norm\" (x) {size=3} b = Erf \"e\" (a) y = Relu(b)");
  CHECK(contains(all, "LRN 'norm': TNN has no layer"));
  CHECK(contains(all, "Erf 'e': TNN has no layer"));
  const Graph graph = tnn_graph("input x: f32[1,4,6,6] a = LRN \"norm\" (x) {size=3} y = Relu(a)");
  const TemporaryFolder folder;
  const std::string message =
      error_of(ErrorCode::unsupported, [&] { export_model(graph, exporter_named("tnn"), folder / "m.tnnproto"); });
  CHECK(contains(message, "LRN 'norm'"));
  CHECK(folder.files().empty());
}

TEST_CASE("TNN: what integers it has no kernels for is refused") {
  const std::string x = "input x: f32[1,1,2,2] ";
  CHECK(contains(reasons(x + "const s: f32[] = {0.5} const z: u8[] = {3} xq = QuantizeLinear(x, s, z) "
                             "y = DequantizeLinear(xq, s, z)"),
                 "zero point 0, not to u8 with 3"));
  CHECK(contains(reasons(x + kPair + kWeight + "y = Conv(xd, w)"), "gives out floats"));
  CHECK(contains(reasons(x + kPair + "y = Sigmoid(xd)"), "rounded, which TNN rounds for integer layers alone"));
  CHECK(contains(reasons("input a: f32[1,2,3,4] x = Tanh \"t\" (a) " + std::string(kPair) + "y = Sigmoid(xd)"),
                 "with Tanh 't' skipped (--skip)"));
  CHECK(contains(reasons(x + kPair + kWeight +
                         "c = Conv(xd, w) cq = QuantizeLinear(c, s, z) "
                         "cd = DequantizeLinear(cq, s, z) y = Add(cd, c)"),
                 "gives out floats"));
}

TEST_CASE("TNN: inputs have sizes, but for the number of pictures") {
  const auto message =
      error_of(ErrorCode::unsupported, [] { written_tnn(tnn_graph("input x: f32[1,1,H,4] y = Relu(x)")); });
  CHECK(contains(message, "input 'x'"));
  CHECK(contains(written_tnn(tnn_graph("input x: f32[N,1,3,4] y = Relu(x)")).proto, "x 4 1 1 3 4 0 "));
}

TEST_CASE("TNN: names are free of what separates them") {
  const TnnFiles files =
      written_tnn(tnn_graph("input \"a b\": f32[1,2] \"a:b\" = Relu \"n,1\" (\"a b\") y = Tanh(\"a:b\")"));
  CHECK(contains(files.proto, "ReLU n_1 1 1 a_b a_b_1 ,"));
  CHECK(contains(files.proto, "Tanh y 1 1 a_b_1 y ,"));
}

TEST_CASE("TNN: version 1 cannot say the dimensions of every constant") {
  const Graph graph = tnn_graph("input x: f32[1,2,3,4] const c: f32[4] = {1,2,3,4} y = Add \"a\" (x, c)");
  CHECK(formats::tnn::ModelWriter(graph, formats::tnn::Version::v1).write_layers().size() == 1);
  CHECK(formats::tnn::ModelWriter(graph, formats::tnn::Version::v2).write_layers().empty());
}

TEST_CASE("TNN: Split, Gather, LogSoftmax and powers are other layers, computed again as read back") {
  const std::string x = "input x: f32[1,4,3] ";
  for (const std::string& body :
       {x + "a, b = Split(x) {axis=1} y = Sub(a, b)", x + "const i: i64[] = {-1} y = Gather(x, i) {axis=1}",
        x + "const i: i64[2] = {1,2} y = Gather(x, i) {axis=2}", x + "y = LogSoftmax(x) {axis=2}",
        x + "const p: f32[] = {2} a = Pow(x, p) const q: f32[] = {0.5} y = Pow(a, q)",
        x + "a = ReduceL2(x) {axes=[2]} b = ReduceL1(x) {axes=[1]} y = Add(a, b)"}) {
    INFO(body);
    const Graph graph = tnn_graph(body);
    const Graph read = read_tnn(written_tnn(graph));
    Tensor input(DType::f32, {1, 4, 3});
    float value = 0.1F;
    for (float& element : input.mutable_data<float>()) element = value = 3.7F * value * (1.0F - value);
    const std::vector<Tensor> inputs{input};
    const Executor before(graph);
    const Executor after(read);
    const Tensor expected = Executor::Session(before).run(inputs).front();
    const Tensor found = Executor::Session(after).run(inputs).front();
    REQUIRE(found.shape() == expected.shape());
    for (std::size_t i = 0; i < static_cast<std::size_t>(found.size()); ++i) {
      CHECK(found.data<float>()[i] == Approx(expected.data<float>()[i]).margin(1e-6));
    }
  }
  CHECK(contains(reasons(x + "const p: f32[] = {3} y = Pow(x, p)"), "only squares and square roots"));
}

TEST_CASE("TNN: errors name the file of weights and the line of the text") {
  const TnnFiles files =
      written_tnn(tnn_graph("input x: f32[1,1,5,5] const w: f32[1,1,3,3] = random(1) "
                            "c = Conv \"c\" (x, w) y = Tanh \"t\" (c)"));
  const auto refused = [](const TnnFiles& broken) { return error_of(ErrorCode::bad_model, [&] { read_tnn(broken); }); };
  TnnFiles cut = files;
  cut.model.resize(cut.model.size() - 3);
  CHECK(contains(refused(cut), "its weights: resource 'c' at byte"));
  TnnFiles longer = files;
  longer.model += "left";
  CHECK(contains(refused(longer), "its weights: "));
  TnnFiles other = files;
  other.proto.replace(other.proto.find("Tanh t 1 1"), 10, "Tanh t 9 1");
  CHECK(contains(refused(other), "line 7: layer 't' has '9' inputs"));
}

TEST_CASE("TNN: constants by name behind the layers' are passed over") {
  TnnFiles files = written_tnn(tnn_graph("input x: f32[1,1,5,5] const w: f32[1,1,3,3] = random(1) y = Conv(x, w)"));
  const auto number = [&](std::uint32_t value) {
    files.model.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  number(0xFABC0004);
  number(1);
  number(1);
  files.model += "k";
  for (const std::uint32_t value : {0xFABC0004U, 0U, 4U, 1U, 1U, 0x3F800000U}) number(value);  // one float, 1
  CHECK(read_tnn(files).nodes().size() == 1);
}
