#include "octavo/backends.h"
#include "planner.h"

namespace octavo {

Plan make_plan(const Graph& graph, const BackendSpec& backend) { return planning::Planner(graph, backend).plan(); }

std::vector<NodeSupport> explain_plan(const Graph& graph, const BackendSpec& backend) {
  return planning::Planner(graph, backend).support();
}

}  // namespace octavo
