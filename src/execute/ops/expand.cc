// Expand and Tile: elements repeated.
#include <algorithm>
#include <utility>

#include "op.h"
#include "strided_copy.h"

namespace octavo::execute {
namespace {

void expect_countable(const RunContext& context, const Shape& shape) {
  if (!checked_element_count(shape)) context.fail("shape " + shape_text(shape) + " is impossible");
}

class Expand : public Kernel {
 public:
  void run(RunContext& context) const override {
    const Shape input = to_shape(context.shape(0));
    Shape wanted = context.integers(1);
    const std::size_t rank = std::max(input.size(), wanted.size());
    wanted.insert(wanted.begin(), rank - wanted.size(), 1);
    const auto input_strides = contiguous_strides(input);
    StridedSource source;
    for (std::size_t i = 0; i < rank; ++i) {
      const std::size_t missing = rank - input.size();
      const std::int64_t dim = i < missing ? 1 : input[i - missing];
      if (dim != wanted[i] && dim != 1 && wanted[i] != 1)
        context.fail("shape " + shape_text(input) + " cannot be expanded to " + shape_text(wanted));
      source.shape.push_back(dim == 1 ? wanted[i] : dim);
      source.strides.push_back(dim == 1 ? 0 : input_strides[i - missing]);
    }
    expect_countable(context, source.shape);
    Shape output = source.shape;
    copy_strided(context, std::move(source), std::move(output));
  }
};

class Tile : public Kernel {
 public:
  void run(RunContext& context) const override {
    const Shape input = to_shape(context.shape(0));
    const auto repeats = context.integers(1);
    if (repeats.size() != input.size()) context.fail("as many repeats as dimensions are expected");
    const auto input_strides = contiguous_strides(input);
    StridedSource source;
    Shape output(input.size());
    for (std::size_t i = 0; i < input.size(); ++i) {
      if (repeats[i] < 0 || __builtin_mul_overflow(input[i], repeats[i], &output[i])) {
        context.fail("repeat " + std::to_string(repeats[i]) + " is out of range");
      }
      source.shape.insert(source.shape.end(), {repeats[i], input[i]});
      source.strides.insert(source.strides.end(), {0, input_strides[i]});
    }
    expect_countable(context, output);
    expect_countable(context, source.shape);
    copy_strided(context, std::move(source), std::move(output));
  }
};

}  // namespace

std::unique_ptr<Kernel> make_expand(const NodeContext&) { return std::make_unique<Expand>(); }
std::unique_ptr<Kernel> make_tile(const NodeContext&) { return std::make_unique<Tile>(); }

}  // namespace octavo::execute
