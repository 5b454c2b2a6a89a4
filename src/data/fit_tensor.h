#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "octavo/data.h"

namespace octavo::data {

/// How the tensors of a file become samples of one input.
struct Fit {
  std::int64_t rows = 1;  ///< samples in the file
  bool by_row = false;    ///< the file's first dimension counts samples
  Shape shape;            ///< of each sample, with the input's number of dimensions
};

/// Fits a file's shape to an input's. Throws Error(bad_data) naming the file where it does not, or is empty.
Fit fit_shape(std::span<const std::int64_t> found, const InputSpec& input, const std::string& name);

/// The shape of `count` numbers without a shape of their own; one dimension besides the batch may be open.
Shape fit_count(std::int64_t count, const InputSpec& input, const std::string& name);

/// The same numbers in another element type. Throws Error(bad_data) where one does not fit: a fraction or a
/// value out of range for an integer type.
Tensor convert(const Tensor& tensor, DType dtype, const std::string& name);

}  // namespace octavo::data
