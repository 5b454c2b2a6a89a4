#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "octavo/passes.h"
#include "support/graphs.h"

namespace octavo::test {

inline const Pass& pass_named(std::string_view name) {
  for (const Pass& pass : prepare_passes()) {
    if (pass.name == name) return pass;
  }
  throw Error(ErrorCode::internal, "no such pass");
}

/// Per tensor, in 8 bits.
inline ActivationPlan planned(ValueId value, int group, bool integer_producer) {
  ActivationPlan plan;
  plan.value = value;
  plan.group = group;
  plan.integer_producer = integer_producer;
  return plan;
}

/// One row of a table of passes: graph text in, graph text out. `after` empty: nothing may change.
struct PassCase {
  std::string what;
  std::string before;
  std::string after;
};

/// Runs one pass over the case, with the statements put between `graph opset 13 {` and `}`.
inline void check_pass(std::string_view pass, const PassCase& test) {
  INFO(test.what);
  const auto wrapped = [](const std::string& body) { return parse_graph("graph opset 13 {" + body + "}"); };
  Graph graph = wrapped(test.before);
  infer_shapes(graph);
  const Graph before = graph;
  const int changes = pass_named(pass).run(graph);
  graph.remove_dead();
  graph.check();
  CHECK((changes > 0) == !test.after.empty());
  CHECK(statements(graph) == statements(test.after.empty() ? before : wrapped(test.after)));
  if (test.before.find("my.domain") == std::string::npos) {  // which nobody can run
    const auto inputs = random_inputs(before, 1);
    CHECK(relative_difference(run_graph(before, inputs), run_graph(graph, inputs)) < 1e-5);
  }
}

}  // namespace octavo::test
