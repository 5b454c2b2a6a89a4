#include "integer_operand.h"

#include <algorithm>

#include "requantize.h"

namespace octavo::execute {

namespace {

template <typename T, typename To>
void subtract_zero(const RunContext& context, std::size_t i, std::size_t zero, std::size_t axis, std::span<To> result) {
  const auto x = context.data<T>(i);
  const auto zeros = context.has_input(zero) ? context.data<T>(zero) : std::span<const T>();
  if (zeros.size() <= 1) {
    const std::int32_t one = zeros.empty() ? 0 : zeros[0];
    std::transform(x.begin(), x.end(), result.begin(), [&](T v) { return static_cast<To>(v - one); });
    return;
  }
  const auto shape = context.shape(i);
  if (axis >= shape.size() || shape[axis] != static_cast<std::int64_t>(zeros.size())) {
    context.fail("zero points of shape " + shape_text(context.shape(zero)) + " do not fit input " + std::to_string(i) +
                 " of shape " + shape_text(shape));
  }
  const auto inner = static_cast<std::size_t>(product(shape, axis + 1, shape.size()));
  for (std::size_t at = 0; at < x.size(); ++at) {
    result[at] = static_cast<To>(x[at] - zeros[at / inner % zeros.size()]);
  }
}

}  // namespace

template <typename To>
std::span<To> centered(RunContext& context, std::size_t i, std::size_t zero, std::size_t axis) {
  const auto result = context.scratch<To>(static_cast<std::size_t>(context.input(i).size()));
  for_type_of<std::uint8_t, std::int8_t>(context, i,
                                         [&]<typename T>() { subtract_zero<T, To>(context, i, zero, axis, result); });
  return result;
}
template std::span<std::int16_t> centered(RunContext&, std::size_t, std::size_t, std::size_t);
template std::span<float> centered(RunContext&, std::size_t, std::size_t, std::size_t);

void transpose(const std::int16_t* a, std::int64_t rows, std::int64_t columns, std::int16_t* b) {
  for (std::int64_t column = 0; column < columns; ++column) {
    for (std::int64_t row = 0; row < rows; ++row) b[column * rows + row] = a[row * columns + column];
  }
}

void requantize(RunContext& context, std::span<const std::int32_t> acc, std::span<const float> multipliers,
                std::size_t zero, Shape shape) {
  if (context.input(zero).size() != 1) context.fail("the output's zero point must be one number");
  for_type_of<std::uint8_t, std::int8_t>(context, zero, [&]<typename T>() {
    const auto zero_point = static_cast<float>(context.data<T>(zero)[0]);
    const auto y = context.output<T>(0, std::move(shape));
    for (std::size_t i = 0; i < y.size(); ++i) {
      const float multiplier = multipliers[i % multipliers.size()];
      y[i] = saturate_round<T>(static_cast<float>(acc[i]) * multiplier, zero_point);
    }
  });
}

}  // namespace octavo::execute
