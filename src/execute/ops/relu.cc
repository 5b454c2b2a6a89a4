#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

class Relu : public Kernel {
 public:
  void run(RunContext& context) const override {
    for_numeric_type_of(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const auto y = context.output_over<T>(0, 0, to_shape(context.shape(0)));
      // Written so that NaN stays NaN.
      map_elements(context, x.data(), y.data(), static_cast<std::int64_t>(x.size()),
                   [](T value) { return value < T{0} ? T{0} : value; });
    });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_relu(const NodeContext&) { return std::make_unique<Relu>(); }

}  // namespace octavo::execute
