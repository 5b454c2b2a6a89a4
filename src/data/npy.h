#pragma once

#include <cstdint>
#include <filesystem>

#include "octavo/core/tensor.h"

namespace octavo::data {

/// What an .npy file says of itself, already checked: the elements lie within the file.
struct NpyHeader {
  DType dtype = DType::undefined;
  Shape shape;
  std::uint64_t data_offset = 0;
};

/// Throws Error(bad_data) naming the file, Error(io) where it cannot be read.
NpyHeader read_npy_header(const std::filesystem::path& path);

/// The elements from `first` on, as a tensor of the given shape. The range lies within the header's shape.
Tensor read_npy_elements(const std::filesystem::path& path, const NpyHeader& header, std::int64_t first, Shape shape);

}  // namespace octavo::data
