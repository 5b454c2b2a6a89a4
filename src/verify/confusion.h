#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/verify.h"

namespace octavo::verify {

/// The class of each pixel by rows, from a picture's grey levels or an .npy of integers: [H, W] or with leading 1s.
struct Mask {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::int64_t> classes;
};
/// Throws Error(bad_data) naming the file where it is no mask, and as decode_image and read_npy do.
Mask read_mask(const std::filesystem::path& path);

/// Classes of pixels counted: what a mask says against what a graph gives.
class Confusion {
 public:
  /// Counts one picture. `output` is of scores f32 [1, C, H, W], of which the first `options.classes` count, the first
  /// largest winning, or of classes, integers [1, H, W] or [1, 1, H, W]. Throws Error(bad_data) where sizes differ,
  /// Error(invalid_argument) for an output of another kind; `file` is named.
  void add(const Mask& mask, const TensorView& output, const MaskOptions& options, const std::filesystem::path& file);
  void add(const Confusion& other);

  /// Nothing where no pixel counted.
  std::optional<MaskAccuracy> accuracy() const;

 private:
  struct Counts {
    std::uint64_t labelled = 0;
    std::uint64_t found = 0;
    std::uint64_t both = 0;
  };
  std::vector<Counts> classes_;
};

}  // namespace octavo::verify
