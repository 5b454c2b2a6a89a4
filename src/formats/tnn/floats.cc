#include "tnn/floats.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <utility>

#include "octavo/error.h"

namespace octavo::formats::tnn {
namespace {

float from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  float value = 0.0F;
  if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <typename Convert>
Tensor widened(const Tensor& narrow, Shape shape, const Convert& convert) {
  Tensor wide(DType::f32, std::move(shape), /*uninitialized=*/true);
  const auto values = wide.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, narrow.bytes() + 2 * i, sizeof bits);
    values[i] = convert(bits);
  }
  return wide;
}

}  // namespace

Tensor floats_of(const Buffer& buffer, Shape shape) {
  switch (buffer.data.dtype()) {
    case DType::f32:
      return buffer.data.reshaped(std::move(shape));
    case DType::f16:
      return widened(buffer.data, std::move(shape), from_half);
    case DType::bf16:
      return widened(buffer.data, std::move(shape), from_bfloat);
    default:
      throw Error(ErrorCode::bad_model,
                  fmt::format("its constants are {}, where floats are expected", name_of(buffer.data.dtype())));
  }
}

Buffer buffer_of(const Tensor& tensor, std::vector<std::int64_t> dims) {
  Buffer buffer;
  buffer.data = tensor.reshaped({tensor.size()});
  buffer.dims = std::move(dims);
  return buffer;
}

}  // namespace octavo::formats::tnn
