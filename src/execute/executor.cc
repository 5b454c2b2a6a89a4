#include <algorithm>
#include <set>
#include <utility>

#include "executor_state.h"
#include "octavo/execute.h"
#include "op_table.h"

namespace octavo {

Executor::Executor(const Graph& graph, const ExecutorOptions& options)
    : state_(std::make_unique<State>(State{execute::compile(graph, options)})) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

std::vector<std::string> executable_operators() {
  std::set<std::string> names;
  for (const execute::OpEntry& entry : execute::op_table()) {
    if (entry.domain.empty()) names.emplace(entry.op_type);
  }
  return {names.begin(), names.end()};
}

}  // namespace octavo
