// Activations with attributes: LeakyRelu, Elu, Selu, HardSigmoid, Gelu; Clip, whose bounds became inputs.
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "elementwise.h"
#include "op.h"
#include "vector_math.h"

namespace octavo::execute {
namespace {

/// y = function(x) for f32 and f64; what `function` holds was read from attributes.
template <typename Function>
class Activation : public Kernel {
 public:
  explicit Activation(Function function) : function_(function) {}

  void run(RunContext& context) const override {
    for_type_of<float, double>(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const auto y = context.output_over<T>(0, 0, to_shape(context.shape(0)));
      map_elements(context, x.data(), y.data(), static_cast<std::int64_t>(x.size()), function_);
    });
  }

 private:
  const Function function_;
};

struct LeakyRelu {
  float alpha;
  template <typename T>
  T operator()(T x) const {
    return x < T{0} ? static_cast<T>(alpha) * x : x;
  }
};
struct Elu {
  float alpha;
  float gamma;
  template <typename T>
  T operator()(T x) const {
    return static_cast<T>(gamma) * (x < T{0} ? static_cast<T>(alpha) * std::expm1(x) : x);
  }
};
struct HardSigmoid {
  float alpha;
  float beta;
  template <typename T>
  T operator()(T x) const {
    const T line = static_cast<T>(alpha) * x + static_cast<T>(beta);
    const T low = line < T{0} ? T{0} : line;
    return low > T{1} ? T{1} : low;
  }
};
struct GeluExact {
  template <typename T>
  T operator()(T x) const {
    return T{0.5} * x * (T{1} + erf_of(x * static_cast<T>(0.70710678118654752440)));
  }
};
struct GeluTanh {
  template <typename T>
  T operator()(T x) const {
    const T inner = static_cast<T>(0.79788456080286535588) * (x + static_cast<T>(0.044715) * x * x * x);
    return T{0.5} * x * (T{1} + tanh_of(inner));
  }
};

template <typename Function>
std::unique_ptr<Kernel> make_activation(Function function) {
  return std::make_unique<Activation<Function>>(function);
}

/// Bounds are attributes before opset 11 and optional inputs since.
class Clip : public Kernel {
 public:
  explicit Clip(const NodeContext& context) {
    if (context.opset >= 11) return;
    bounds_ = {context.node.float_or("min", std::numeric_limits<float>::lowest()),
               context.node.float_or("max", std::numeric_limits<float>::max())};
  }

  void run(RunContext& context) const override {
    for_numeric_type_of(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const T low = bound<T>(context, 1, std::numeric_limits<T>::lowest());
      const T high = bound<T>(context, 2, std::numeric_limits<T>::max());
      const auto y = context.output_over<T>(0, 0, to_shape(context.shape(0)));
      map_elements(context, x.data(), y.data(), static_cast<std::int64_t>(x.size()), [low, high](T value) {
        const T raised = value < low ? low : value;
        return raised > high ? high : raised;
      });
    });
  }

 private:
  template <typename T>
  T bound(const RunContext& context, std::size_t i, T fallback) const {
    if (bounds_) {
      const float value = i == 1 ? bounds_->first : bounds_->second;
      if constexpr (std::is_floating_point_v<T>) return static_cast<T>(value);
      context.fail("before opset 11, only floating-point numbers can be clipped");
    }
    if (!context.has_input(i)) return fallback;
    const auto values = context.data<T>(i);
    if (values.size() != 1) context.fail("the bound of shape " + shape_text(context.shape(i)) + " is not one number");
    return values[0];
  }

  std::optional<std::pair<float, float>> bounds_;
};

}  // namespace

std::unique_ptr<Kernel> make_leaky_relu(const NodeContext& context) {
  return make_activation(LeakyRelu{context.node.float_or("alpha", 0.01F)});
}
std::unique_ptr<Kernel> make_elu(const NodeContext& context) {
  return make_activation(Elu{context.node.float_or("alpha", 1.0F), 1.0F});
}
std::unique_ptr<Kernel> make_selu(const NodeContext& context) {
  return make_activation(Elu{context.node.float_or("alpha", 1.67326319F), context.node.float_or("gamma", 1.05070102F)});
}
std::unique_ptr<Kernel> make_hard_sigmoid(const NodeContext& context) {
  return make_activation(HardSigmoid{context.node.float_or("alpha", 0.2F), context.node.float_or("beta", 0.5F)});
}
std::unique_ptr<Kernel> make_gelu(const NodeContext& context) {
  const std::string approximate = context.node.string_or("approximate", "none");
  if (approximate == "tanh") return make_activation(GeluTanh{});
  if (approximate != "none") context.fail("approximate '" + approximate + "' is unknown, expected none or tanh");
  return make_activation(GeluExact{});
}
std::unique_ptr<Kernel> make_clip(const NodeContext& context) { return std::make_unique<Clip>(context); }

}  // namespace octavo::execute
