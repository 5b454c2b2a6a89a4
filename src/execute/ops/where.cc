#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

template <typename T>
void choose_row(const std::uint8_t* condition, std::int64_t c_step, const T* x, std::int64_t x_step, const T* y,
                std::int64_t y_step, T* out, std::int64_t count) {
  if (c_step == 0) {
    const T* source = *condition != 0 ? x : y;
    const std::int64_t step = *condition != 0 ? x_step : y_step;
    for (std::int64_t i = 0; i < count; ++i) out[i] = source[i * step];
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i] = condition[i] != 0 ? x[i * x_step] : y[i * y_step];
  }
}

class Where : public Kernel {
 public:
  void run(RunContext& context) const override {
    const std::uint8_t* condition = bool_data(context, 0);
    context.expect_dtype(2, context.dtype(1));
    const Shape shape = broadcast_shape(context, 3);
    const Broadcast<3> walk({context.shape(0), context.shape(1), context.shape(2)}, shape);
    void* output = context.allocate(0, context.dtype(1), shape);
    for_size_of(context, context.dtype(1), [&]<typename T>() {
      const T* x = raw_input<T>(context, 1);
      const T* y = raw_input<T>(context, 2);
      for (std::int64_t i = 0; i < walk.rows(); ++i) {
        const auto row = walk.row(i);
        choose_row(condition + row.input[0], walk.step(0), x + row.input[1], walk.step(1), y + row.input[2],
                   walk.step(2), static_cast<T*>(output) + row.output, walk.row_length());
      }
    });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_where(const NodeContext&) { return std::make_unique<Where>(); }

}  // namespace octavo::execute
