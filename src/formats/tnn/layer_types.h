#pragma once

#include <cstdint>
#include <string_view>

namespace octavo::formats::tnn {

/// How a layer's constants lie in .tnnmodel.
enum class Payload : std::uint8_t {
  none,
  convolution,    ///< name, has_bias, filter, [bias], int8: zero points, scales
  inner_product,  ///< name, weight, bias, int8: zero points, scales
  scale,          ///< name, has_bias, scale, [bias]
  named_buffer,   ///< name, buffer
  one_buffer,
  two_buffers,
  blob_scale,  ///< zero points, scales, bias
  unknown,     ///< some that Octavo does not read
};

struct LayerType {
  std::string_view name;
  std::int32_t number;  ///< what files hold beside the name
  Payload payload;
};

/// By name, without "Quantized"; null where Octavo does not know it.
const LayerType* layer_type(std::string_view name);
/// By number: the first of its names.
const LayerType* layer_type(std::int32_t number);

}  // namespace octavo::formats::tnn
