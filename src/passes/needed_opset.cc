#include <fmt/format.h>

#include <algorithm>

#include "octavo/error.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

constexpr std::int64_t kOpsetOfAxes = 13;
constexpr std::int64_t kOpsetOfBlocks = 21;

bool needs_blocks(const QScheme& scheme) { return scheme.bits > 8 || scheme.per_group(); }

template <typename Asks>
bool any_scheme(const Plan& plan, const Asks& asks) {
  return std::any_of(plan.activations.begin(), plan.activations.end(), [&](const auto& a) { return asks(a.scheme); }) ||
         std::any_of(plan.weights.begin(), plan.weights.end(), [&](const auto& w) { return asks(w.scheme); });
}

}  // namespace

std::int64_t needed_opset(const Plan& plan) {
  const bool few_bits =
      std::any_of(plan.weights.begin(), plan.weights.end(), [](const auto& weight) { return weight.scheme.bits <= 4; });
  return few_bits || any_scheme(plan, needs_blocks) ? kOpsetOfBlocks : kOpsetOfAxes;
}

std::vector<std::string> raise_opset(Graph& graph, const Plan& plan) {
  const std::int64_t before = graph.opset();
  const std::int64_t needed = needed_opset(plan);
  if (before >= needed) return {};
  const bool must = needed == kOpsetOfAxes || any_scheme(plan, needs_blocks);
  try {
    upgrade_opset(graph, needed);
  } catch (const Error& error) {
    if (must || error.code() != ErrorCode::unsupported) throw;
    return {fmt::format("integers of 4 bits are stored in 8: that takes opset {}, and {}", needed, error.what())};
  }
  return {
      fmt::format("opset raised from {} to {}, which {} need", before, needed,
                  needed == kOpsetOfAxes ? "scales per channel" : "integers of 4 and 16 bits and scales per group")};
}

}  // namespace octavo
