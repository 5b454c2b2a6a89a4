#include "integers_argument.h"

#include <string>

namespace octavo::execute {

IntegersArgument::IntegersArgument(const NodeContext& context, std::string_view attribute, std::size_t input,
                                   std::int64_t input_since) {
  if (context.opset >= input_since)
    input_ = input;
  else if (context.node.has(attribute))
    attribute_ = context.node.ints_or(attribute, {});
}

std::optional<std::vector<std::int64_t>> IntegersArgument::read(const RunContext& context) const {
  if (!input_) return attribute_;
  if (!context.has_input(*input_)) return std::nullopt;
  return context.integers(*input_);
}

std::vector<bool> mark_axes(const RunContext& context, const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<bool> marks(rank);
  for (const std::int64_t given : axes) {
    const std::size_t axis = normalize_axis(context, given, rank);
    if (marks[axis]) context.fail("axis " + std::to_string(given) + " is given twice");
    marks[axis] = true;
  }
  return marks;
}

}  // namespace octavo::execute
