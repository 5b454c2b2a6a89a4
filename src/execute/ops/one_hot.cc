#include <algorithm>
#include <cmath>

#include "cast.h"
#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// Indices outside [-depth, depth) give a row of off values.
class OneHot : public Kernel {
 public:
  explicit OneHot(const NodeContext& context) : axis_(context.node.int_or("axis", -1)) {}

  void run(RunContext& context) const override {
    const double wanted = context.number(1);
    if (!(wanted >= 0 && wanted < 0x1p53)) context.fail("depth is out of range");
    const auto depth = static_cast<std::int64_t>(wanted);
    Shape output = to_shape(context.shape(0));
    const std::size_t axis = normalize_axis(context, axis_, output.size() + 1);
    output.insert(output.begin() + static_cast<std::ptrdiff_t>(axis), depth);
    if (context.input(2).size() != 2) context.fail("two values, off and on, are expected");
    void* y = context.allocate(0, context.dtype(2), output);
    const auto indices = context.scratch<std::int64_t>(static_cast<std::size_t>(context.input(0).size()));
    cast_elements(context, context.input(0), DType::i64, indices.data());
    const std::int64_t inner = product(output, axis + 1, output.size());
    for_size_of(context, context.dtype(2), [&]<typename T>() {
      const T* values = raw_input<T>(context, 2);
      T* out = static_cast<T*>(y);
      std::fill_n(out, element_count(output), values[0]);
      for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::int64_t hot = indices[i] < 0 && indices[i] >= -depth ? indices[i] + depth : indices[i];
        const auto at = static_cast<std::int64_t>(i);
        if (hot >= 0 && hot < depth) out[(at / inner * depth + hot) * inner + at % inner] = values[1];
      }
    });
  }

 private:
  const std::int64_t axis_;
};

}  // namespace

std::unique_ptr<Kernel> make_one_hot(const NodeContext& context) { return std::make_unique<OneHot>(context); }

}  // namespace octavo::execute
