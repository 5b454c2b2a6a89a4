#include "octavo/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <string>

namespace octavo {
namespace {

ValueId id_of(const Graph& graph, std::string_view name) {
  const auto id = graph.find_value(name);
  REQUIRE(id.has_value());
  return *id;
}

Node make_node(std::string op_type, std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
  Node node;
  node.op_type = std::move(op_type);
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  return node;
}

ErrorCode code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::ok;
}

const char* const kDiamond = R"(graph opset 13 {
  input x
  const c: f32[1] = {1}
  a = Relu(x)
  b = Add(a, a)
  d = Mul(a, c)
  y = Add "last" (b, d)
  output y
  output a
})";

TEST_CASE("uses are recorded, each reader once") {
  const Graph graph = parse_graph(kDiamond);
  const ValueId a = id_of(graph, "a");
  CHECK(graph.consumers(a) == std::vector<NodeId>{1, 2});
  CHECK(graph.use_count(a) == 4);
  CHECK(graph.is_output(a));
  CHECK(graph.producer(a) == 0);
  CHECK(graph.producer(id_of(graph, "x")) == kNoNode);
  CHECK(graph.is_input(id_of(graph, "x")));
  CHECK(graph.constant(id_of(graph, "c")) != nullptr);
  CHECK(graph.constant(a) == nullptr);
  CHECK(graph.constant(kNoValue) == nullptr);
  CHECK(describe(graph, 0) == "Relu writing 'a'");
  CHECK(describe(graph, 3) == "Add 'last'");
}

TEST_CASE("replacing uses leaves graph outputs alone") {
  Graph graph = parse_graph(kDiamond);
  const ValueId a = id_of(graph, "a");
  const ValueId x = id_of(graph, "x");
  graph.replace_uses(a, x);
  graph.check();
  CHECK(graph.consumers(a).empty());
  CHECK(graph.use_count(a) == 1);
  CHECK(graph.consumers(x) == std::vector<NodeId>{0, 1, 2});
  CHECK(graph.use_count(x) == 4);
}

TEST_CASE("a node is replaced in its place") {
  Graph graph = parse_graph(kDiamond);
  const NodeId old = graph.producer(id_of(graph, "b"));
  Node replacement = make_node("Mul", {id_of(graph, "a"), id_of(graph, "c")}, {id_of(graph, "b")});
  CHECK(code_of([&] { graph.add_node(replacement); }) == ErrorCode::invalid_argument);
  graph.check();
  const std::vector<NodeId> order = graph.nodes();
  const NodeId next = order[2];
  graph.remove_node(old);
  CHECK_FALSE(graph.contains_node(old));
  CHECK(code_of([&] { graph.check(); }) == ErrorCode::bad_model);  // b is read and nobody writes it
  const NodeId added = graph.add_node(replacement, next);
  graph.check();
  CHECK(graph.nodes() == std::vector<NodeId>{order[0], added, order[2], order[3]});
  CHECK(code_of([&] { graph.node(old); }) == ErrorCode::internal);
}

TEST_CASE("inputs and outputs of a node change with their uses") {
  Graph graph = parse_graph(kDiamond);
  const ValueId c = id_of(graph, "c");
  graph.set_input(1, 1, c);
  CHECK(graph.consumers(c) == std::vector<NodeId>{1, 2});
  graph.set_inputs_of(1, {c, c, kNoValue});
  CHECK(graph.use_count(c) == 3);
  CHECK(code_of([&] { graph.set_input(1, 3, c); }) == ErrorCode::internal);
  CHECK(code_of([&] { graph.set_outputs_of(1, {id_of(graph, "d")}); }) == ErrorCode::invalid_argument);
  graph.check();
  const ValueId fresh = graph.add_value("fresh");
  graph.set_outputs_of(1, {id_of(graph, "b"), fresh});
  CHECK(graph.producer(fresh) == 1);
  graph.check();
  graph.set_outputs_of(1, {fresh, id_of(graph, "b")});
  CHECK(graph.node(1).output(1) == id_of(graph, "b"));
  graph.check();
}

TEST_CASE("what a subgraph captures is read, and keeps its name") {
  Graph graph = parse_graph(R"(graph {
    input x
    a = Relu(x)
    y = If(x) captures(a)
    output y
  })");
  const ValueId a = id_of(graph, "a");
  CHECK(graph.is_captured(a));
  CHECK(graph.consumers(a) == std::vector<NodeId>{1});
  CHECK(code_of([&] { graph.replace_uses(a, id_of(graph, "x")); }) == ErrorCode::unsupported);
  CHECK(code_of([&] { graph.rename_value(a, "b"); }) == ErrorCode::unsupported);
  graph.remove_dead();
  CHECK(graph.contains_node(0));
  graph.remove_node(1);
  CHECK_FALSE(graph.is_captured(a));
  graph.rename_value(a, "b");
  CHECK(graph.find_value("b") == a);
  CHECK_FALSE(graph.find_value("a").has_value());
}

TEST_CASE("names are unique and free ones are found") {
  Graph graph = parse_graph(kDiamond);
  CHECK(code_of([&] { graph.add_value("a"); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { graph.add_value(""); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { graph.rename_value(id_of(graph, "a"), "b"); }) == ErrorCode::invalid_argument);
  CHECK(graph.unique_value_name("a") == "a_1");
  CHECK(graph.unique_value_name("free") == "free");
  CHECK(graph.unique_node_name("last") == "last_1");
  graph.mutable_node(3).name = "renamed";
  CHECK(graph.unique_node_name("last") == "last");
  CHECK(graph.unique_node_name("renamed") == "renamed_1");
  graph.mutable_node(0).name = "renamed";
  CHECK(code_of([&] { graph.check(); }) == ErrorCode::bad_model);
  Node named = make_node("Relu", {id_of(graph, "x")}, {graph.add_value("z")});
  named.name = "renamed";
  CHECK(code_of([&] { graph.add_node(named); }) == ErrorCode::invalid_argument);
}

TEST_CASE("dead nodes and values go, what is read stays") {
  Graph graph = parse_graph(R"(graph {
    input unused
    input x
    const w: f32[1] = {1}
    const dead: f32[1] = {1}
    y, mask = Dropout(x)
    p = Relu(y)
    q = Add(p, dead)
    z = Add(y, w)
    output z
  })");
  graph.remove_dead();
  graph.check();
  CHECK(graph.nodes().size() == 2);
  for (const char* name : {"unused", "x", "w", "y", "mask", "z"}) CHECK(graph.find_value(name).has_value());
  for (const char* name : {"dead", "p", "q"}) CHECK_FALSE(graph.find_value(name).has_value());
  CHECK(graph.add_value("p") > id_of(graph, "z"));
}

TEST_CASE("sorting is topological and leaves a sorted order as it is") {
  Graph graph = parse_graph("graph { input x d = Add(b, c) c = Relu(a) e = Relu(x) b = Relu(a) a = Relu(x) output d }");
  graph.sort();
  std::string order;
  for (const NodeId id : graph.nodes()) order += graph.value(graph.node(id).output(0)).name;
  CHECK(order == "eacbd");
  const auto sorted = graph.nodes();
  graph.sort();
  CHECK(graph.nodes() == sorted);
}

TEST_CASE("a cycle is named, captured values included") {
  const std::string text = "graph { input x down = Relu(b) a = Add(x, b) b = If \"loop\" (x) captures(a) output down }";
  Graph graph = parse_graph(text);
  CHECK_THROWS_WITH(graph.sort(), Catch::Contains("depends on its own output") &&
                                      (Catch::Contains("If 'loop'") || Catch::Contains("Add writing 'a'")));
  CHECK(code_of([&] { graph.check(); }) == ErrorCode::bad_model);
}

TEST_CASE("check finds what the calls cannot prevent") {
  Graph renamed = parse_graph(kDiamond);
  renamed.value(id_of(renamed, "a")).name = "other";
  CHECK(code_of([&] { renamed.check(); }) == ErrorCode::bad_model);
  Graph both = parse_graph(kDiamond);
  both.value(id_of(both, "a")).constant = Tensor::scalar(1.0F);
  CHECK(code_of([&] { both.check(); }) == ErrorCode::bad_model);
  Graph rewired = parse_graph(kDiamond);
  rewired.mutable_node(1).inputs[0] = id_of(rewired, "c");
  CHECK(code_of([&] { rewired.check(); }) == ErrorCode::bad_model);
  Graph retyped = parse_graph(kDiamond);
  retyped.value(id_of(retyped, "c")).dtype = DType::i8;
  CHECK(code_of([&] { retyped.check(); }) == ErrorCode::bad_model);
}

TEST_CASE("attributes are read with a fallback where they are absent or of another type") {
  const Graph graph =
      parse_graph("graph { input x y = Op(x) {i=3, f=2.5, s=\"t\", l=[1,2], m=[1.0,2.0], t=f32[1] {7}} output y }");
  const Node& node = graph.node(0);
  CHECK(node.int_or("i", 0) == 3);
  CHECK(node.int_or("f", 9) == 9);
  CHECK(node.float_or("f", 0) == 2.5F);
  CHECK(node.string_or("s", "") == "t");
  CHECK(node.string_or("none", "fallback") == "fallback");
  CHECK(node.ints_or("l", {}) == std::vector<std::int64_t>{1, 2});
  CHECK(node.floats_or("m", {}) == std::vector<float>{1, 2});
  CHECK(node.tensor("t")->data<float>()[0] == 7);
  CHECK(node.tensor("i") == nullptr);
  CHECK(node.has("i"));
  CHECK_FALSE(node.has("j"));
  CHECK(node.input(5) == kNoValue);
}

// Recursion would overflow the stack here, and a step quadratic in the nodes would take minutes.
TEST_CASE("a chain of 100,000 nodes is built, sorted, checked, inferred, written and swept") {
  constexpr int kLength = 100000;
  Graph graph;
  const ValueId shared = graph.add_constant("one", Tensor::scalar(1.0F));
  std::vector<ValueId> values = {graph.add_value("v0", DType::f32, Dims{{Dim::kUnknown, "N"}})};
  graph.set_inputs(values);
  for (int i = 1; i <= kLength; ++i) values.push_back(graph.add_value(fmt::format("v{}", i)));
  NodeId before = kNoNode;
  for (int i = kLength; i > 0; --i) {  // backwards: each is inserted before the one that was added last
    before = graph.add_node(make_node("Add", {values[i - 1], shared}, {values[i]}), before);
  }
  graph.set_outputs({values.back()});
  std::vector<NodeId> shuffled = graph.nodes();
  graph.sort();
  CHECK(graph.nodes() == shuffled);
  infer_shapes(graph);
  CHECK(graph.value(values.back()).dims->at(0).symbol == "N");
  graph.check();
  CHECK(parse_graph(to_text(graph)).nodes().size() == kLength);
  CHECK(graph.consumers(shared).size() == kLength);

  std::mt19937 random(5);
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  shuffled.resize(kLength / 2);
  for (const NodeId id : shuffled) {
    const ValueId input = graph.node(id).input(0);
    const ValueId output = graph.node(id).output(0);
    graph.remove_node(id);
    graph.replace_uses(output, input);
    if (graph.is_output(output)) graph.set_outputs({input});
  }
  graph.remove_dead();
  graph.check();
  CHECK(graph.nodes().size() == kLength / 2);
  graph.set_outputs({});
  graph.remove_dead();
  CHECK(graph.nodes().empty());
  CHECK(graph.values() == graph.inputs());
}

}  // namespace
}  // namespace octavo
