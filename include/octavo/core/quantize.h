#pragma once

#include <cstddef>
#include <cstdint>

#include "octavo/core/channels.h"
#include "octavo/core/kernels.h"
#include "octavo/core/qparams.h"
#include "octavo/core/tensor.h"

namespace octavo {

/// A tensor as integers of `params.storage`, with the shape it had in float.
struct QuantizedTensor {
  QParams params;
  Tensor integers;
};

namespace detail {

/// Calls run(offset, count, map) for every stretch of elements that have the same map.
template <typename Run>
void for_each_stretch(std::span<const std::int64_t> shape, const QParams& params, const Run& run) {
  if (params.per_group()) {
    const GroupLayout groups = group_layout(shape, params.axis, params.group_size);
    OCTAVO_REQUIRE(params.scale.size() == groups.scales(), "one scale for each group");
    for_each_in_group(groups, [&](std::size_t offset, std::size_t count, std::size_t group) {
      run(offset, count, affine_map(params, group));
    });
    return;
  }
  const ChannelLayout layout = channel_layout(shape, params.axis);
  OCTAVO_REQUIRE(!params.per_channel() || params.scale.size() == layout.channels, "one scale for each channel");
  if (!params.per_channel()) {
    run(std::size_t{0}, static_cast<std::size_t>(element_count(shape)), affine_map(params, 0));
    return;
  }
  for (std::size_t o = 0; o < layout.outer; ++o) {
    for (std::size_t c = 0; c < layout.channels; ++c) run(layout.offset(o, c), layout.inner, affine_map(params, c));
  }
}

template <typename From, typename To>
Tensor mapped(const TensorView& x, const QParams& params,
              void (*kernel)(const From*, std::size_t, const AffineMap&, To*)) {
  Tensor y(dtype_of<To>, Shape(x.shape().begin(), x.shape().end()), true);
  const From* from = x.data<From>().data();
  To* to = y.mutable_data<To>().data();
  for_each_stretch(x.shape(), params, [&](std::size_t offset, std::size_t n, const AffineMap& map) {
    kernel(from + offset, n, map, to + offset);
  });
  return y;
}

}  // namespace detail

/// ONNX QuantizeLinear of an f32 tensor, per tensor, along `params.axis` or by groups along it, to `params.storage`:
/// i8, u8, i16 or u16.
inline Tensor quantize(const TensorView& x, const QParams& params, const Kernels& kernels = plain_kernels()) {
  switch (params.storage) {
    case DType::i8:
      return detail::mapped(x, params, kernels.quantize_f32_s8);
    case DType::u8:
      return detail::mapped(x, params, kernels.quantize_f32_u8);
    case DType::i16:
      return detail::mapped(x, params, &detail::quantize_plain<std::int16_t>);
    case DType::u16:
      return detail::mapped(x, params, &detail::quantize_plain<std::uint16_t>);
    default:
      break;
  }
  OCTAVO_REQUIRE(false, "storage i8, u8, i16 or u16");
  return {};
}

/// ONNX DequantizeLinear of a tensor of `params.storage`: i8, u8, i16, u16, and i32 for biases, whose zero
/// points are 0.
inline Tensor dequantize(const TensorView& q, const QParams& params, const Kernels& kernels = plain_kernels()) {
  switch (params.storage) {
    case DType::i8:
      return detail::mapped(q, params, kernels.dequantize_s8_f32);
    case DType::u8:
      return detail::mapped(q, params, kernels.dequantize_u8_f32);
    case DType::i16:
      return detail::mapped(q, params, &detail::dequantize_plain<std::int16_t>);
    case DType::u16:
      return detail::mapped(q, params, &detail::dequantize_plain<std::uint16_t>);
    case DType::i32:
      return detail::mapped(q, params, &detail::dequantize_plain<std::int32_t>);
    default:
      break;
  }
  OCTAVO_REQUIRE(false, "storage i8, u8, i16, u16 or i32");
  return {};
}

/// An f32 tensor after PyTorch's fake quantization, per tensor, along `params.axis` or by groups along it.
inline Tensor fake_quantize(const TensorView& x, const QParams& params, const Kernels& kernels = plain_kernels()) {
  return detail::mapped(x, params, kernels.fake_quantize_f32);
}

}  // namespace octavo
