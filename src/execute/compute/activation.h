#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "octavo/graph.h"

namespace octavo::execute {

/// What fuse.cc has appended to a convolution or matrix product.
struct Activation {
  enum class Kind : std::uint8_t { none, relu, leaky_relu, clip };
  Kind kind = Kind::none;
  float alpha = 0.0F;  ///< slope of leaky_relu, lower bound of clip
  float beta = 0.0F;   ///< upper bound of clip
};

Activation activation_of(const Node& node);
/// In place; comparisons are written so that NaN stays NaN.
void apply(const Activation& activation, std::span<float> values);

}  // namespace octavo::execute
