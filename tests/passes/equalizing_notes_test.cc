#include "equalizing_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;
using passes::note_steps;
using Steps = std::vector<int>;

namespace {

Graph branches() {
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2] const w: f32[3,1,1,1] = {1,2,3} const v: f32[2,1,1,1] = {1,2}
    a = Conv(x, w) "left branch" = Relu(a)
    b = Conv(x, v) c = Relu(b)
    joined = Concat("left branch", c) {axis=1}
    pool = MaxPool(joined) {kernel_shape=[2,2]}
    y = Sigmoid(pool)
    output y
  })");
  infer_shapes(graph);
  return graph;
}

Steps noted_steps(const Graph& graph, const std::string& value) {
  const auto all = passes::noted_steps(graph);
  const auto found = all.find(value);
  return found == all.end() ? Steps{} : *found->second;
}

void note(Graph& graph, const std::map<std::string, Steps>& steps) {
  note_steps(graph, [&](ValueId id) {
    const auto found = steps.find(graph.value(id).name);
    return found == steps.end() ? Steps{} : found->second;
  });
}

}  // namespace

TEST_CASE("what follows from noted values is not noted, and found again") {
  Graph graph = branches();
  const Steps left{8, 0, 7};
  const Steps right{1, 2};
  const Steps both{8, 0, 7, 1, 2};
  note(graph, {{"a", left}, {"left branch", left}, {"b", right}, {"c", right}, {"joined", both}, {"pool", both}});
  REQUIRE(graph.metadata.size() == 1);
  const std::string& text = graph.metadata[0].second;
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  for (const char* name : {"joined", "pool"}) CHECK(noted_steps(graph, name) == both);
  for (const char* name : {"a", "left branch"}) CHECK(noted_steps(graph, name) == left);
  for (const char* name : {"b", "c"}) CHECK(noted_steps(graph, name) == right);
  for (const char* name : {"x", "y", "no value"}) CHECK(noted_steps(graph, name).empty());
}

TEST_CASE("what does not follow is noted by itself, whatever its name") {
  Graph graph = branches();
  graph.rename_value(graph.find_value("joined").value(), "joined\nin two lines");
  const Steps both{0, 0, 0, 1, 2};
  note(graph, {{"b", {1, 2}}, {"c", {1, 2}}, {"joined\nin two lines", both}, {"left branch", {3, 3, 3}}});
  CHECK(noted_steps(graph, "joined\nin two lines") == both);
  CHECK(noted_steps(graph, "left branch") == Steps{3, 3, 3});
  CHECK(noted_steps(graph, "a").empty());
  CHECK(noted_steps(graph, "pool") == Steps(5, 0));  // said because it would follow otherwise
}

TEST_CASE("pairs and the limits before them hand channels on") {
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2] const w: f32[2,1,1,1] = {1,2} const s: f32[] = {1} const z: u8[] = {0}
    a = Conv(x, w) c = Clip(a) q = QuantizeLinear(c, s, z) d = DequantizeLinear(q, s, z) r = Relu(d)
    output r
  })");
  graph.metadata.emplace_back("octavo.equalized/a", "80");  // as earlier versions noted it
  CHECK(noted_steps(graph, "r") == Steps{8, 0});
}

TEST_CASE("notes of hostile files take neither much time nor much memory") {
  std::string text = "graph opset 13 { input x: f32[1,1] v0 = Relu(x)\n";
  for (int i = 0; i < 100; ++i) {
    text += fmt::format("v{} = Concat(v{}, v{}) {{axis=1}}\n", i + 1, i, i);
  }
  Graph graph = parse_graph(text + "output v100 }");
  graph.metadata.emplace_back("octavo.equalized", "v0 /!\nbroken\nv1 \x01\n");
  CHECK(noted_steps(graph, "v100").empty());
  CHECK(noted_steps(graph, "v1").empty());
  CHECK(noted_steps(graph, "v0").size() == 4);
}

TEST_CASE("a long note and a long chain behind it are read once") {
  constexpr int kOperators = 20000;
  constexpr std::size_t kChannels = std::size_t{1} << 20;
  std::string text = "graph opset 13 { input x: f32[1,1] v0 = Relu(x)\n";
  for (int i = 0; i < kOperators; ++i) text += fmt::format("v{} = Relu(v{})\n", i + 1, i);
  Graph graph = parse_graph(text + fmt::format("output v{} }}", kOperators));
  std::string notes;
  for (int i = 0; i < kOperators; ++i) notes += fmt::format("nobody{} !!!!\n", i);
  graph.metadata.emplace_back("octavo.equalized", notes + "v0 " + std::string(kChannels / 2, '"') + "\n");
  const auto all = passes::noted_steps(graph);
  REQUIRE(all.size() == kOperators + 1);
  CHECK(all.at("v0")->size() == kChannels);
  CHECK(all.at("v0") == all.at(fmt::format("v{}", kOperators)));
  const auto factors = equalizing_factors(graph);
  CHECK(factors.at("v0") == factors.at("v7"));
}

TEST_CASE("operators in any order are followed") {
  Graph graph = parse_graph("graph opset 13 { input x: f32[1,2,1,1] a = Sigmoid(x) b = Relu(a) c = Relu(b) output c }");
  graph.metadata.emplace_back("octavo.equalized/a", "80");
  const NodeId first = graph.nodes().front();
  const Node moved = graph.node(first);
  graph.remove_node(first);
  graph.add_node(moved);
  CHECK(noted_steps(graph, "c") == Steps{8, 0});
}
