#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "layer.h"

namespace octavo::formats::ncnn {

/// The .bin file: all weights of all layers, in order.
std::vector<std::byte> bin_bytes(std::span<const Layer> layers);

/// Takes the numbers of a .bin file one blob after the other. Sizes are checked before memory is taken; throws
/// Error(bad_model) naming the place where the file ends too early.
class BinReader {
 public:
  explicit BinReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// Floats: as such, halves, or indices into a table of 256; or i8. Shape {count}.
  Tensor tagged(std::int64_t count);
  /// Floats without a tag. Shape {count}.
  Tensor plain(std::int64_t count);
  /// Bytes that nothing asked for.
  std::size_t rest() const { return bytes_.size() - place_; }

 private:
  std::span<const std::byte> take(std::int64_t count, std::int64_t element_size);
  std::uint32_t tag();

  std::span<const std::byte> bytes_;
  std::size_t place_ = 0;
};

}  // namespace octavo::formats::ncnn
