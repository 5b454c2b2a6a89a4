#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "octavo/error.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

constexpr std::int64_t kOpsetOfPairs = 10;
/// Clip has its limits as inputs: few bits of an activation are kept by one.
constexpr std::int64_t kOpsetOfLimits = 11;
constexpr std::int64_t kOpsetOfAxes = 13;
constexpr std::int64_t kOpsetOfBlocks = 21;

bool needs_blocks(const QScheme& scheme) { return scheme.bits > 8 || scheme.per_group(); }

template <typename Asks>
bool any_scheme(const Plan& plan, const Asks& asks) {
  return std::any_of(plan.activations.begin(), plan.activations.end(), [&](const auto& a) { return asks(a.scheme); }) ||
         std::any_of(plan.weights.begin(), plan.weights.end(), [&](const auto& w) { return asks(w.scheme); });
}

bool has_axes(const QScheme& scheme) { return scheme.per_channel(); }

std::string_view reason_for(std::int64_t opset) {
  switch (opset) {
    case kOpsetOfBlocks:
      return "integers of 4 and 16 bits and scales per group";
    case kOpsetOfAxes:
      return "scales per channel";
    case kOpsetOfLimits:
      return "activations of few bits";
    default:
      return "integers";
  }
}

/// But for weights of few bits, which 8 can hold.
std::int64_t least_opset(const Plan& plan) {
  if (any_scheme(plan, needs_blocks)) return kOpsetOfBlocks;
  if (any_scheme(plan, has_axes)) return kOpsetOfAxes;
  const bool limited = std::any_of(plan.activations.begin(), plan.activations.end(),
                                   [](const auto& activation) { return activation.scheme.bits % 8 != 0; });
  return limited ? kOpsetOfLimits : kOpsetOfPairs;
}

}  // namespace

std::int64_t needed_opset(const Plan& plan) {
  const bool few_bits =
      std::any_of(plan.weights.begin(), plan.weights.end(), [](const auto& weight) { return weight.scheme.bits <= 4; });
  return few_bits ? kOpsetOfBlocks : least_opset(plan);
}

std::vector<std::string> raise_opset(Graph& graph, const Plan& plan, std::int64_t at_least, bool four_bits) {
  const std::int64_t before = graph.opset();
  const std::int64_t needed = four_bits ? needed_opset(plan) : least_opset(plan);
  const std::int64_t least = std::max(least_opset(plan), at_least);
  try {
    upgrade_opset(graph, std::max(needed, least));
  } catch (const Error& error) {
    if (least >= needed || error.code() != ErrorCode::unsupported) throw;
    upgrade_opset(graph, least);
    return {fmt::format("integers of 4 bits are stored in 8: that takes opset {}, and {}", needed, error.what())};
  }
  if (before >= needed || at_least > needed) return {};
  return {fmt::format("opset raised from {} to {}, which {} need", before, needed, reason_for(needed))};
}

}  // namespace octavo
