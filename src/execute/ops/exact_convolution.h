#pragma once

#include <memory>

#include "compute/conv.h"
#include "op.h"

namespace octavo::execute {

/// Where an operator has the inputs of an integer convolution.
struct IntegerConvInputs {
  std::size_t x, x_zero, w, w_zero;
};

/// The convolution of 8-bit integers less their zero points by the float one, which is much faster than ours of
/// integers and exact while every partial sum is below 2^24. Null where that is not certain from constant weights
/// and zero points.
std::unique_ptr<Convolution> make_exact_convolution(const NodeContext& context, const IntegerConvInputs& inputs,
                                                    std::int64_t groups);

}  // namespace octavo::execute
