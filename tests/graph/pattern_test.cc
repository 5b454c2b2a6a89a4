#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "octavo/graph.h"

namespace octavo {
namespace {

std::optional<Pattern::Match> match_at(const Graph& graph, std::string_view pattern, std::string_view last) {
  const auto id = graph.find_value(last);
  REQUIRE(id.has_value());
  return Pattern(pattern).match(graph, graph.producer(*id));
}

std::string bound(const Graph& graph, const Pattern::Match& match, std::string_view name) {
  const auto it = match.values.find(name);
  return it == match.values.end() ? "nothing" : graph.value(it->second).name;
}

const char* const kConvNet = R"(graph opset 13 {
  input x
  const w: f32[1,1,1,1] = {1}
  const s: f32[1] = {2}
  a = Conv(x, w)
  b = BatchNormalization(a, s, s, s, s)
  c = Relu(b)
  d = Conv(c, w, s)
  e = Relu(d)
  f = com.microsoft::Gelu(e)
  output d
  output f
})";

TEST_CASE("a chain matches from its last node and binds its inputs") {
  const Graph graph = parse_graph(kConvNet);
  const auto match = match_at(graph, "Conv(x, w, b?) -> BatchNormalization(_, s, b2, m, v) -> Relu|Clip", "c");
  REQUIRE(match.has_value());
  CHECK(match->nodes == std::vector<NodeId>{0, 1, 2});
  CHECK(bound(graph, *match, "x") == "x");
  CHECK(bound(graph, *match, "w") == "w");
  CHECK(bound(graph, *match, "b") == "nothing");
  CHECK(bound(graph, *match, "v") == "s");
  CHECK(match_at(graph, "Conv(_, w, bias?)", "d")->values.size() == 2);
  CHECK(match_at(graph, "Relu -> com.microsoft::Gelu", "f").has_value());
  CHECK_FALSE(match_at(graph, "Relu -> Gelu", "f").has_value());
  CHECK_FALSE(match_at(graph, "Conv(x, w)", "d").has_value());
  CHECK_FALSE(match_at(graph, "Conv(x, w, b)", "a").has_value());
  CHECK_FALSE(match_at(graph, "MaxPool -> Conv", "a").has_value());
}

TEST_CASE("a value inside a pattern has one reader and is no output") {
  const Graph graph = parse_graph(kConvNet);
  CHECK_FALSE(match_at(graph, "Conv -> Relu", "e").has_value());  // d is a graph output
  const Graph shared = parse_graph("graph { input x a = Conv(x) b = Relu(a) c = Relu(a) }");
  CHECK_FALSE(match_at(shared, "Conv -> Relu", "b").has_value());
}

TEST_CASE("a name that occurs twice is one value; commutative operators match both ways") {
  const Graph graph = parse_graph(R"(graph {
    input x
    input z
    s = Sigmoid(x)
    swish = Mul(x, s)
    t = Sigmoid(x)
    other = Mul(t, z)
    u = Sigmoid(x)
    difference = Sub(x, u)
  })");
  CHECK(match_at(graph, "Sigmoid(x) -> Mul(_, x)", "swish").has_value());
  CHECK(match_at(graph, "Sigmoid(x) -> Mul(x, _)", "swish").has_value());
  CHECK_FALSE(match_at(graph, "Sigmoid(x) -> Mul(_, x)", "other").has_value());
  CHECK(match_at(graph, "Sigmoid(x) -> Sub(x, _)", "difference").has_value());
  CHECK_FALSE(match_at(graph, "Sigmoid(x) -> Sub(_, x)", "difference").has_value());
}

TEST_CASE("the step before writes output 0") {
  const Graph graph = parse_graph("graph { input x a, b = Split(x) c = Relu(b) d = Relu(a) }");
  CHECK_FALSE(match_at(graph, "Split -> Relu", "c").has_value());
  CHECK(match_at(graph, "Split -> Relu", "d").has_value());
}

TEST_CASE("what is no pattern is refused") {
  for (const char* text : {"", "->", "Conv ->", "Conv(", "Conv(a b)", "Conv(a?, b)", "Conv -> Add(b)",
                           "Conv -> Add(_, _)", "Conv Relu", "Conv | "}) {
    INFO(text);
    CHECK_THROWS_AS(Pattern(text), Error);
  }
}

}  // namespace
}  // namespace octavo
