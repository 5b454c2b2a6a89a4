#include "quantize_parameters.h"

namespace octavo::execute {

QuantizeLayout quantize_layout(const RunContext& context, std::int64_t axis, std::int64_t block_size) {
  const auto x = context.shape(0);
  const auto scale = context.shape(1);
  const auto misfit = [&](const std::string& what) {
    context.fail("scales of shape " + shape_text(scale) + " " + what + " x of shape " + shape_text(x));
  };
  if (context.has_input(2) && context.input(2).size() != context.input(1).size()) {
    context.fail("scale and zero point have shapes " + shape_text(scale) + " and " + shape_text(context.shape(2)));
  }
  QuantizeLayout layout;
  if (context.input(1).size() == 1 && block_size == 0) {
    layout.length = context.input(0).size();
    return layout;
  }
  const std::size_t at = normalize_axis(context, axis, x.size());
  layout.axis_size = x[at];
  layout.rows = product(x, 0, at + 1);
  layout.length = product(x, at + 1, x.size());
  if (block_size == 0) {
    if (scale.size() != 1 || scale[0] != x[at]) misfit("do not fit axis " + std::to_string(at) + " of");
    layout.period = x[at];
    return layout;
  }
  if (block_size < 0 || scale.size() != x.size()) misfit("and blocks of " + std::to_string(block_size) + " do not fit");
  for (std::size_t d = 0; d < x.size(); ++d) {
    const std::int64_t expected = d == at ? x[d] / block_size + (x[d] % block_size != 0 ? 1 : 0) : x[d];
    if (scale[d] != expected) misfit("and blocks of " + std::to_string(block_size) + " do not fit");
  }
  layout.block = block_size;
  return layout;
}

}  // namespace octavo::execute
