#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <sstream>

#include "execute/support.h"

using namespace octavo;
using octavo::test::random_tensor;
using octavo::test::run_text;

namespace {

const std::string kNet = R"(graph "net" opset 13 {
  input x: f32[N,3,16,16]
  const w1: f32[8,3,3,3] = random(1)
  const w2: f32[8,8,3,3] = random(2)
  const w3: f32[4,8,1,1] = random(3)
  a = Conv "c1" (x, w1) {pads=[1,1,1,1]}
  b = Relu(a)
  c = Conv "c2" (b, w2) {pads=[1,1,1,1]}
  d = Relu(c)
  p = MaxPool(d) {kernel_shape=[2,2], strides=[2,2]}
  e = Conv "c3" (p, w3)
  i = Identity(e)
  y = GlobalAveragePool(i)
  output y: f32
})";

ErrorCode code_of(const std::string& text, std::vector<Tensor> inputs) {
  try {
    run_text(text, inputs);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::ok;
}

}  // namespace

TEST_CASE("a second run of the same shapes takes no memory but its outputs") {
  const Executor executor(parse_graph(kNet));
  Executor::Session session(executor);
  const Tensor first = session.run(std::vector{random_tensor({2, 3, 16, 16}, 1)})[0];
  const auto memory = session.memory();
  CHECK(memory.allocations > 0);
  const Tensor second = session.run(std::vector{random_tensor({2, 3, 16, 16}, 1)})[0];
  CHECK(session.memory().allocations == memory.allocations);
  CHECK(session.memory().bytes == memory.bytes);
  CHECK(test::values<float>(first) == test::values<float>(second));
  // Other shapes in between, then the first ones again.
  session.run(std::vector{random_tensor({5, 3, 16, 16}, 1)});
  const Tensor third = session.run(std::vector{random_tensor({2, 3, 16, 16}, 1)})[0];
  CHECK(test::values<float>(first) == test::values<float>(third));
}

TEST_CASE("activations share buffers: memory does not grow with depth") {
  const auto bytes_of = [](int depth) {
    std::string text = "graph opset 13 { input v0: f32[1,4,32,32] const w: f32[4,4,3,3] = random(1) ";
    for (int i = 0; i < depth; ++i) {
      std::ostringstream line;
      line << "v" << i + 1 << " = Conv(v" << i << ", w) {pads=[1,1,1,1]} ";
      text += line.str();
    }
    text.append("output v").append(std::to_string(depth)).append(": f32 }");
    const Executor executor(parse_graph(text));
    Executor::Session session(executor);
    session.run(std::vector{random_tensor({1, 4, 32, 32}, 1)});
    return session.memory().bytes;
  };
  CHECK(bytes_of(40) == bytes_of(5));
}

TEST_CASE("watched values are delivered once each, in order, with what a run without watching computes") {
  const Graph graph = parse_graph(kNet);
  const Tensor x = random_tensor({1, 3, 16, 16}, 7);
  ExecutorOptions options;
  for (const char* name : {"x", "w1", "a", "b", "c", "e", "i", "y"}) options.watched.push_back(*graph.find_value(name));
  const Executor watching(graph, options);
  std::vector<std::string> order;
  std::map<std::string, std::vector<float>> seen;
  const Tensor y = Executor::Session(watching).run(std::vector{x}, [&](ValueId id, const TensorView& view) {
    order.push_back(graph.value(id).name);
    const auto data = view.data<float>();
    seen[order.back()] = {data.begin(), data.end()};
  })[0];
  CHECK(order == std::vector<std::string>{"w1", "x", "a", "b", "c", "e", "i", "y"});
  CHECK(seen["x"] == test::values<float>(x));
  CHECK(seen["w1"] == test::values<float>(*graph.constant(*graph.find_value("w1"))));
  CHECK(seen["y"] == test::values<float>(y));
  for (std::size_t i = 0; i < seen["a"].size(); ++i) CHECK(seen["b"][i] == std::max(seen["a"][i], 0.0F));
  const Tensor plain = Executor::Session(Executor(graph)).run(std::vector{x})[0];
  CHECK(test::values<float>(plain) == test::values<float>(y));
}

TEST_CASE("outputs may be inputs, constants, read inside, and the same value under another shape") {
  const Tensor x = random_tensor({2, 2}, 1);
  const auto outputs = run_text(R"(graph opset 13 {
    input x: f32[2,2]
    const c: f32[2] = {1, 2}
    a = Relu(x)
    b = Identity(a)
    d = Relu(b)
    output x output c output a output b output d
  })",
                                std::vector{x});
  REQUIRE(outputs.size() == 5);
  CHECK(test::values<float>(outputs[0]) == test::values<float>(x));
  CHECK(test::values<float>(outputs[1]) == std::vector<float>{1, 2});
  CHECK(test::values<float>(outputs[2]) == test::values<float>(outputs[4]));
  CHECK(test::values<float>(outputs[3]) == test::values<float>(outputs[4]));
}

TEST_CASE("writing in place never changes a tensor of the caller or an earlier output") {
  const std::string text = R"(graph opset 13 {
    input x: f32[4]
    a = Identity(x)
    b = Relu(a)
    c = Relu(b)
    output c
  })";
  const Tensor x = Tensor::from<float>({4}, {-1, 2, -3, 4});
  const Executor executor(parse_graph(text));
  Executor::Session session(executor);
  const Tensor first = session.run(std::vector{x})[0];
  session.run(std::vector{Tensor::from<float>({4}, {9, 9, 9, 9})});
  CHECK(test::values<float>(x) == std::vector<float>{-1, 2, -3, 4});
  CHECK(test::values<float>(first) == std::vector<float>{0, 2, 0, 4});
}

TEST_CASE("inputs that contradict the graph are bad data") {
  CHECK(code_of(kNet, {}) == ErrorCode::bad_data);
  CHECK(code_of(kNet, {random_tensor({1, 3, 16, 15}, 1)}) == ErrorCode::bad_data);
  CHECK(code_of(kNet, {random_tensor({3, 16, 16}, 1)}) == ErrorCode::bad_data);
  CHECK(code_of(kNet, {Tensor(DType::u8, {1, 3, 16, 16})}) == ErrorCode::bad_data);
  CHECK(code_of(kNet, {random_tensor({1, 3, 16, 16}, 1)}) == ErrorCode::ok);
}

TEST_CASE("every operator that is missing is listed in one error, before any work") {
  try {
    const Executor executor(parse_graph(R"(graph opset 13 {
      input x: f32[4]
      a = Frobnicate "f" (x)
      b = com.example::Twist(a)
      c = Frobnicate(b)
      d = Relu(c)
      output d
    })"));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK_THAT(error.what(), Catch::Contains("Frobnicate (2") && Catch::Contains("com.example.Twist (1"));
  }
}

TEST_CASE("a tensor beyond the limit is an error and leaves the session usable") {
  ExecutorOptions options;
  options.memory_limit = 1 << 20;
  const Executor executor(parse_graph(kNet), options);
  Executor::Session session(executor);
  try {
    session.run(std::vector{random_tensor({100, 3, 16, 16}, 1)});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::resource_limit);
    CHECK_THAT(error.what(), Catch::Contains("Conv"));
  }
  CHECK(session.run(std::vector{random_tensor({1, 3, 16, 16}, 1)})[0].shape() == Shape{1, 4, 1, 1});
}

TEST_CASE("constant nodes are computed once, watched or not") {
  const std::string text = R"(graph opset 13 {
    input x: f32[1,1,1,2]
    const q: i8[1,1,1,2] = {3, -4}
    const scale: f32[] = {0.5}
    w = DequantizeLinear(q, scale)
    y = Conv(x, w)
    output y output w
  })";
  const auto outputs = run_text(text, std::vector{Tensor::from<float>({1, 1, 1, 2}, {1, 10})});
  CHECK(test::values<float>(outputs[0]) == std::vector<float>{1.5F - 20.0F});
  CHECK(test::values<float>(outputs[1]) == std::vector<float>{1.5F, -2.0F});
}
