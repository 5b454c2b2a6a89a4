#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/core/tensor.h"

/// What the two files of a TNN model hold: layers as text, their constants as bytes.
namespace octavo::formats::tnn {

/// In the text's first record and before the bytes. Version 2 says how many dimensions an input has, and the dimensions
/// of constants.
enum class Version : std::uint32_t { v1 = 0xFABC0002, v2 = 0xFABC0004 };

/// An array of constants with the shape that the file says it has, none in version 1 and for integers.
struct Buffer {
  Tensor data;  ///< one dimension; f32, f16, i8, i32, bf16, i64 or u32
  std::vector<std::int64_t> dims;

  bool empty() const { return data.rank() == 0 || data.size() == 0; }
};

struct Input {
  std::string name;
  std::vector<std::int64_t> dims;
  std::int32_t dtype = 0;  ///< TNN's number of a type; version 1 has f32 alone
};

struct Layer {
  std::size_t line = 0;  ///< of the text, from 1; read alone
  std::string type;      ///< without "Quantized"
  bool quantized = false;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> params;
};

/// The text, .tnnproto.
struct Proto {
  Version version = Version::v2;
  std::vector<Input> inputs;
  std::vector<std::string> outputs;
  std::vector<Layer> layers;
};

/// One entry of the bytes, .tnnmodel.
struct Resource {
  std::string type;  ///< without "Quantized"
  std::string name;  ///< the layer's, or a blob's with kBlobScaleSuffix
  /// In the order of the file: of a convolution the filter, the bias where it has one, and of int8 the zero points and
  /// scales; of BlobScale zero points, scales and a bias that nobody reads.
  std::vector<Buffer> buffers;
  bool has_bias = false;  ///< convolutions and Scale say so; the bias is their second buffer
};

inline constexpr std::string_view kBlobScale = "BlobScale";
inline constexpr std::string_view kBlobScaleSuffix = "_scale_data_";
inline constexpr std::string_view kQuantized = "Quantized";

/// TNN reads no more of a record than this.
inline constexpr std::size_t kMostOfRecord = 4095;

}  // namespace octavo::formats::tnn
