#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "op.h"

namespace octavo::execute {

/// A list of integers (axes, pads …) that was an attribute before some opset and is an input since.
class IntegersArgument {
 public:
  IntegersArgument(const NodeContext& context, std::string_view attribute, std::size_t input, std::int64_t input_since);

  /// Nothing where the node leaves it out.
  std::optional<std::vector<std::int64_t>> read(const RunContext& context) const;

 private:
  std::optional<std::size_t> input_;
  std::optional<std::vector<std::int64_t>> attribute_;
};

/// Marks of the `axes` among `rank` dimensions; fails where one is out of range or given twice.
std::vector<bool> mark_axes(const RunContext& context, const std::vector<std::int64_t>& axes, std::size_t rank);

}  // namespace octavo::execute
