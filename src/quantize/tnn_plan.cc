#include "tnn_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "octavo/backends.h"
#include "octavo/core/names.h"
#include "octavo/core/observers/table.h"
#include "octavo/error.h"

namespace octavo::tnn_tool {
namespace {

/// The variant of an observer that gives each channel a scale, as merge type 0 asks for it.
std::string per_channel(const std::string& observer) {
  QConfig config;
  config.activation.observer.emplace().type = observer;
  apply_merge_type(config, 0);
  return config.activation.observer->type;
}

class PlanCompletion {
 public:
  PlanCompletion(const Graph& graph, Plan& plan, const TnnJob& job) : graph_(graph), plan_(plan), job_(job) {
    for (std::size_t i = 0; i < plan.activations.size(); ++i) {
      planned_[plan.activations[i].value] = i;
      groups_ = std::max(groups_, plan.activations[i].group + 1);
    }
  }

  std::vector<NodeId> run() {
    std::vector<NodeId> pools;
    for (const NodeId id : graph_.nodes()) {
      const std::string& type = graph_.node(id).op_type;
      if (type == "Add" || type == "Concat") add_join(id);
      if (type == "MaxPool" && add_pool(id)) pools.push_back(id);
    }
    return pools;
  }

 private:
  bool skipped(NodeId id) const {
    const std::string_view name = name_of_node(graph_, id);
    return std::any_of(job_.skipped_layers.begin(), job_.skipped_layers.end(),
                       [&](const std::string& glob) { return matches_glob(glob, name); });
  }

  /// TNN's layer is not quantized where an operand is a constant.
  void add_join(NodeId id) {
    const Node& node = graph_.node(id);
    const bool constant = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return input == kNoValue || graph_.value(input).is_constant();
    });
    if (plan_.integer_nodes.contains(id) || constant || skipped(id)) return;
    plan_.integer_nodes.insert(id);
    for (const ValueId input : node.inputs) add(input);
    ValueId result = node.output(0);
    const auto readers = graph_.consumers(result);
    if (readers.size() == 1 && !graph_.is_output(result) && graph_.node(readers.front()).op_type == "Relu") {
      plan_.integer_nodes.insert(readers.front());
      result = graph_.node(readers.front()).output(0);
    }
    add(result).integer_producer = true;
  }

  bool add_pool(NodeId id) {
    const Node& node = graph_.node(id);
    const auto read = planned_.find(node.input(0));
    if (read == planned_.end() || !plan_.activations[read->second].integer_producer || skipped(id)) return false;
    plan_.integer_nodes.insert(id);
    ActivationPlan& computed = add(node.output(0));
    computed.integer_producer = true;
    ActivationPlan own = plan_.activations[read->second];  // measured as what it reads
    own.value = computed.value;
    own.integer_producer = true;
    own.group = groups_++;
    computed = own;
    return true;
  }

  bool reads_or_writes_products(ValueId value) const {
    std::vector<NodeId> neighbours = graph_.consumers(value);
    if (graph_.producer(value) != kNoNode) neighbours.push_back(graph_.producer(value));
    return std::any_of(neighbours.begin(), neighbours.end(),
                       [&](NodeId node) { return graph_.node(node).op_type == "Gemm"; });
  }

  ActivationPlan& add(ValueId value) {
    const auto [entry, added] = planned_.try_emplace(value, plan_.activations.size());
    if (!added) return plan_.activations[entry->second];
    const BackendSpec& backend = backend_named("tnn");
    const auto shape = graph_.value(value).static_shape();
    const bool plane = shape && shape->size() == 4;
    ActivationPlan& activation = plan_.activations.emplace_back();
    activation.value = value;
    activation.group = groups_++;
    activation.scheme = backend.activation;
    if (job_.merge_type == 0 && plane && !reads_or_writes_products(value)) activation.scheme.axis = 1;
    activation.observer_options.axis = std::max(activation.scheme.axis, 0);
    const bool small = !plane || (*shape)[2] * (*shape)[3] < backend.observer_rule.plane_below;
    std::string name =
        small || graph_.is_input(value) ? std::string(backend.observer_rule.observer) : tnn_observer(job_.blob_method);
    if (activation.scheme.axis == 1) name = per_channel(name);
    const ObserverEntry* const observer = find_observer(name);
    if (observer == nullptr) throw Error(ErrorCode::internal, fmt::format("there is no observer '{}'", name));
    activation.observer = *observer;
    return activation;
  }

  const Graph& graph_;
  Plan& plan_;
  const TnnJob& job_;
  std::map<ValueId, std::size_t> planned_;
  int groups_ = 0;
};

}  // namespace

std::string tnn_observer(int blob_method) {
  const auto refuse = [](const std::string& text) { throw Error(ErrorCode::invalid_argument, text); };
  switch (blob_method) {
    case 0:
      return "TNNMinMaxObserver";
    case 2:
      return "TNNKLObserver";
    case 4:
      return "ACIQGaussObserver";
    case 5:
      return "ACIQLaplaceObserver";
    case 1:
      refuse("--blob_method: 1 (ADMM) is for weights; 0, 2, 4 or 5 is expected");
      break;
    case 3:
      refuse(fmt::format("--blob_method: 3 (ASY_MIN_MAX) gives zero points, {}; take 0 or 2", kTnnZeroPoints));
      break;
    default:
      refuse(fmt::format("--blob_method: {} found, expected 0, 2, 4 or 5", blob_method));
  }
  return {};
}

std::vector<NodeId> plan_as_tnn(const Graph& graph, Plan& plan, const TnnJob& job) {
  return PlanCompletion(graph, plan, job).run();
}

}  // namespace octavo::tnn_tool
