#pragma once

#include <cstdint>
#include <vector>

#include "op.h"

namespace octavo::execute {

/// How ONNX's MatMul pairs the matrices of two stacks.
struct BatchedProduct {
  std::int64_t m = 1, k = 1, n = 1;
  Shape output;                        ///< of the whole result
  std::vector<std::int64_t> a_offset;  ///< first element of the left matrix of each product
  std::vector<std::int64_t> b_offset;  ///< … and of the right one
  bool shared_b = false;               ///< all products have the same right matrix and adjacent left ones
};

/// For inputs `a` and `b` of the node; fails where they do not fit together.
BatchedProduct batched_product(const RunContext& context, std::size_t a, std::size_t b);

}  // namespace octavo::execute
