#include "octavo/backends.h"
#include "planner.h"

namespace octavo {

Plan make_plan(const Graph& graph, const BackendSpec& backend, const QConfig& config) {
  return planning::Planner(graph, backend, config).plan();
}

std::vector<NodeSupport> explain_plan(const Graph& graph, const BackendSpec& backend, const QConfig& config) {
  return planning::Planner(graph, backend, config).support();
}

}  // namespace octavo
