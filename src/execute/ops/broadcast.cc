#include "broadcast.h"

#include <algorithm>

namespace octavo::execute {

Shape broadcast_shape(const RunContext& context, std::size_t count) {
  Shape result;
  for (std::size_t i = 0; i < count; ++i) {
    const auto shape = context.shape(i);
    if (shape.size() > result.size()) result.insert(result.begin(), shape.size() - result.size(), 1);
    for (std::size_t back = 1; back <= shape.size(); ++back) {
      std::int64_t& dim = result[result.size() - back];
      const std::int64_t other = shape[shape.size() - back];
      if (dim == other || other == 1) continue;
      if (dim != 1) {
        context.fail("input " + std::to_string(i) + " of shape " + shape_text(shape) +
                     " cannot be broadcast with the inputs before it, of shape " + shape_text(result));
      }
      dim = other;
    }
  }
  return result;
}

}  // namespace octavo::execute
