#pragma once

#include "octavo/core/observer.h"

namespace octavo {

/// A copy of one tensor, for observers that need the values themselves.
struct TensorSummary final : Summary {
  explicit TensorSummary(const TensorView& x)
      : tensor(Tensor::from<float>(Shape(x.shape().begin(), x.shape().end()), x.data<float>())) {}
  Tensor tensor;
};

}  // namespace octavo
