#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "octavo/backends.h"
#include "support/graphs.h"

namespace octavo::test {

using Set = std::set<std::string>;
using Groups = std::map<std::string, std::string>;

/// A plan by names.
struct Named {
  Set integer;     // what integer nodes write
  Groups groups;   // activation → first name of its group
  Set exact;       // activations whose range is not cut
  Set from_float;  // activations that float operators or the caller compute
  Set weighted;    // what nodes with an integer weight write
  Set biased;
  Groups reasons;
  std::map<std::string, ActivationPlan> activations;
  std::map<std::string, WeightPlan> weights;  // by what their node writes
  std::vector<std::string> notes;
};

inline Named plan_of(const std::string& body, const BackendSpec& backend, const QConfig& config = {}) {
  Graph graph = parse_graph("graph opset 13 {" + body + "}");
  infer_shapes(graph);
  const Plan plan = make_plan(graph, backend, config);
  const auto written = [&](NodeId id) { return graph.value(graph.node(id).output(0)).name; };
  Named named;
  named.notes = plan.notes;
  for (const NodeId id : plan.integer_nodes) named.integer.insert(written(id));
  std::map<int, std::string> first;
  for (const ActivationPlan& activation : plan.activations) {
    const std::string name = graph.value(activation.value).name;
    named.groups[name] = first.try_emplace(activation.group, name).first->second;
    if (activation.observer.name == "MinMaxObserver") named.exact.insert(name);
    if (!activation.integer_producer) named.from_float.insert(name);
    named.activations.emplace(name, activation);
  }
  for (const WeightPlan& weight : plan.weights) {
    named.weighted.insert(written(weight.node));
    named.weights.emplace(written(weight.node), weight);
  }
  for (const BiasPlan& bias : plan.biases) named.biased.insert(written(bias.node));
  for (const NodeSupport& support : explain_plan(graph, backend, config)) {
    CHECK(support.integer == plan.integer_nodes.contains(support.node));
    CHECK(support.reason.empty() == support.integer);
    named.reasons[written(support.node)] = support.reason;
  }
  return named;
}

inline Named plan_of(const std::string& body, const std::string& backend = "onnxruntime", const QConfig& config = {}) {
  return plan_of(body, backend_named(backend), config);
}

/// A picture x, weights of a 3x3 and a 1x1 convolution and a bias.
inline const std::string kIn =
    "input x: f32[1,3,8,8] const w: f32[4,3,3,3] = random(1) const v: f32[4,4,1,1] = random(2) "
    "const b: f32[4] = random(3) ";

}  // namespace octavo::test
