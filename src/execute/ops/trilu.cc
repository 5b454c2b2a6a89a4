#include <algorithm>

#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// Keeps the upper or lower triangle of matrices, counted from diagonal k, and zeroes the rest.
class Trilu : public Kernel {
 public:
  explicit Trilu(const NodeContext& context) : upper_(context.node.int_or("upper", 1) != 0) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    if (shape.size() < 2) context.fail("an input of at least two dimensions is expected");
    const std::int64_t rows = shape[shape.size() - 2];
    const std::int64_t columns = shape.back();
    std::int64_t diagonal = 0;
    if (context.has_input(1)) {
      const auto k = context.integers(1);
      if (k.size() != 1) context.fail("k is not one number");
      diagonal = std::clamp(k[0], -rows, columns);  // beyond these nothing changes
    }
    void* output = context.allocate(0, context.dtype(0), shape);
    if (element_count(shape) == 0) return;
    for_size_of(context, context.dtype(0), [&]<typename T>() {
      const T* x = raw_input<T>(context, 0);
      T* y = static_cast<T*>(output);
      for (std::int64_t row = 0; row < element_count(shape) / columns; ++row, x += columns, y += columns) {
        // Columns from here on are above the diagonal or on it; for the lower triangle: above it.
        const std::int64_t split = std::clamp<std::int64_t>(row % rows + diagonal + (upper_ ? 0 : 1), 0, columns);
        std::fill(upper_ ? y : y + split, upper_ ? y + split : y + columns, T{0});
        std::copy(upper_ ? x + split : x, upper_ ? x + columns : x + split, upper_ ? y + split : y);
      }
    });
  }

 private:
  const bool upper_;
};

}  // namespace

std::unique_ptr<Kernel> make_trilu(const NodeContext& context) { return std::make_unique<Trilu>(context); }

}  // namespace octavo::execute
