#pragma once

#include "octavo/core/tensor.h"
#include "tnn/content.h"

namespace octavo::formats::tnn {

/// An array of f32, f16 or bf16 as f32 of this shape, which holds as many elements. Throws Error(bad_model) for other
/// types.
Tensor floats_of(const Buffer& buffer, Shape shape);

/// An array of f32 for a file; `dims` as the file is to say.
Buffer buffer_of(const Tensor& tensor, std::vector<std::int64_t> dims);

}  // namespace octavo::formats::tnn
