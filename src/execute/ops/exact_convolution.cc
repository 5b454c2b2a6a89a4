#include "exact_convolution.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace octavo::execute {
namespace {

/// Floats hold every integer up to here.
constexpr std::int64_t kExact = std::int64_t{1} << 24;

std::optional<std::vector<std::int32_t>> integers(const Tensor* tensor) {
  std::vector<std::int32_t> result;
  if (tensor == nullptr) return std::nullopt;
  const bool known = with_type<std::uint8_t, std::int8_t>(tensor->dtype(), [&]<typename T>() {
    const auto values = tensor->data<T>();
    result.assign(values.begin(), values.end());
  });
  return known ? std::optional(std::move(result)) : std::nullopt;
}

/// The zero points of an input; 0 where the node lists none, nothing where they are not constant.
std::optional<std::vector<std::int32_t>> zero_points(const NodeContext& context, std::size_t input) {
  return context.has_input(input) ? integers(context.constant(input)) : std::vector<std::int32_t>{0};
}

/// The largest x - zero and zero - x for an 8-bit x.
struct Reach {
  std::int64_t above = 255;
  std::int64_t below = 128;
};

std::optional<Reach> reach(const NodeContext& context, std::size_t zero) {
  if (!context.has_input(zero)) return Reach{};  // of either type
  const Tensor* tensor = context.constant(zero);
  const auto zeros = integers(tensor);
  if (!zeros || zeros->size() != 1) return std::nullopt;
  const std::int64_t low = tensor->dtype() == DType::u8 ? 0 : -128;
  return Reach{low + 255 - zeros->front(), zeros->front() - low};
}

/// No partial sum, in whatever order, leaves what all positive and all negative products add up to.
bool stays_exact(std::span<const float> weights, const Reach& x) {
  std::int64_t positive = 0;
  std::int64_t negative = 0;
  for (const float w : weights) (w < 0 ? negative : positive) += static_cast<std::int64_t>(w < 0 ? -w : w);
  return std::max(positive * x.above + negative * x.below, positive * x.below + negative * x.above) < kExact;
}

}  // namespace

std::unique_ptr<Convolution> make_exact_convolution(const NodeContext& context, const IntegerConvInputs& inputs,
                                                    std::int64_t groups) {
  const Tensor* w = context.constant(inputs.w);
  const auto values = integers(w);
  const auto zeros = zero_points(context, inputs.w_zero);
  const auto x = reach(context, inputs.x_zero);
  if (!values || !zeros || !x || w->rank() < 2 || values->empty() || w->dim(0) % groups != 0) return nullptr;
  const auto channels = static_cast<std::size_t>(w->dim(0));
  if (zeros->size() != 1 && zeros->size() != channels) return nullptr;
  Shape shape = w->shape();
  if (shape.size() == 2) shape.push_back(1);  // a matrix
  Tensor weights(DType::f32, shape, true);
  const auto to = weights.mutable_data<float>();
  const std::size_t depth = to.size() / channels;
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i] = static_cast<float>((*values)[i] - (*zeros)[zeros->size() == 1 ? 0 : i / depth]);
  }
  for (std::size_t c = 0; c < channels; ++c) {
    if (!stays_exact(to.subspan(c * depth, depth), *x)) return nullptr;
  }
  return make_convolution({std::move(weights), {}, groups, {}});
}

}  // namespace octavo::execute
