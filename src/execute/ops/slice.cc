#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "integers_argument.h"
#include "op.h"
#include "strided_copy.h"

namespace octavo::execute {
namespace {

/// First index, step and number of elements taken from one dimension.
struct Range {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

/// Python's rules; ONNX clamps whatever lies outside.
Range range_of(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t dim) {
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  if (step > 0) {
    start = std::clamp<std::int64_t>(start, 0, dim);
    end = std::clamp<std::int64_t>(end, 0, dim);
    return {start, step, end > start ? (end - start - 1) / step + 1 : 0};
  }
  start = std::clamp<std::int64_t>(start, -1, dim - 1);
  end = std::clamp<std::int64_t>(end, -1, dim - 1);
  return {start, step, start > end ? (start - end - 1) / -step + 1 : 0};
}

class Slice : public Kernel {
 public:
  explicit Slice(const NodeContext& context)
      : starts_(context, "starts", 1, 10),
        ends_(context, "ends", 2, 10),
        axes_(context, "axes", 3, 10),
        steps_(context, "steps", 4, 10) {}

  void run(RunContext& context) const override {
    const Shape input = to_shape(context.shape(0));
    const std::vector<Range> ranges = read_ranges(context, input);
    StridedSource source{{}, contiguous_strides(input)};
    for (std::size_t i = 0; i < input.size(); ++i) source.shape.push_back(ranges[i].count);
    Shape output = source.shape;
    if (element_count(output) > 0) {  // the products below are indices of elements that exist
      for (std::size_t i = 0; i < input.size(); ++i) {
        source.offset += ranges[i].start * source.strides[i];
        if (ranges[i].count > 1) source.strides[i] *= ranges[i].step;
      }
    }
    copy_strided(context, std::move(source), std::move(output));
  }

 private:
  std::vector<Range> read_ranges(const RunContext& context, const Shape& input) const {
    const auto starts = starts_.read(context);
    const auto ends = ends_.read(context);
    if (!starts || !ends || starts->size() != ends->size()) context.fail("as many starts as ends are expected");
    const auto axes = axes_.read(context);
    const auto steps = steps_.read(context);
    if ((axes && axes->size() != starts->size()) || (steps && steps->size() != starts->size()))
      context.fail("as many axes and steps as starts are expected");
    if (!axes && starts->size() > input.size()) context.fail("more starts are given than the input has dimensions");
    std::vector<Range> ranges;
    for (const std::int64_t dim : input) ranges.push_back({0, 1, dim});
    std::vector<bool> seen(input.size());
    for (std::size_t i = 0; i < starts->size(); ++i) {
      const std::size_t axis = axes ? normalize_axis(context, (*axes)[i], input.size()) : i;
      if (seen[axis]) context.fail("axis " + std::to_string(axis) + " is given twice");
      seen[axis] = true;
      // The lowest number has no opposite; a step one shorter takes the same single element.
      const std::int64_t step = steps ? std::max((*steps)[i], -std::numeric_limits<std::int64_t>::max()) : 1;
      if (step == 0) context.fail("a step is 0");
      ranges[axis] = range_of((*starts)[i], (*ends)[i], step, input[axis]);
    }
    return ranges;
  }

  const IntegersArgument starts_;
  const IntegersArgument ends_;
  const IntegersArgument axes_;
  const IntegersArgument steps_;
};

}  // namespace

std::unique_ptr<Kernel> make_slice(const NodeContext& context) { return std::make_unique<Slice>(context); }

}  // namespace octavo::execute
