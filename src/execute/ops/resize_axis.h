#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "op.h"

namespace octavo::execute {

/// What the attributes of Resize or Upsample say about every axis.
struct ResizeMethod {
  enum class Filter : std::uint8_t { nearest, linear, cubic };
  Filter filter = Filter::nearest;
  std::string coordinates = "asymmetric";  ///< coordinate_transformation_mode
  std::string nearest = "simple";          ///< nearest_mode; "simple" is what opsets before 11 did
  float cubic_a = -0.75F;
  bool exclude_outside = false;
  bool antialias = false;
};

/// One axis before and after.
struct ResizeAxis {
  std::size_t axis = 0;
  std::int64_t input = 1;
  std::int64_t output = 1;
  float scale = 1.0F;
  float roi_start = 0.0F;
  float roi_end = 1.0F;
};

/// Which input elements make each output element along one axis: output o is the sum of weight[t] times
/// input index[t], for t in [first[o], first[o + 1]).
struct ResizeTaps {
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> index;
  std::vector<float> weight;
  std::vector<bool> outside;  ///< tf_crop_and_resize: the coordinate is outside of the input
};

ResizeTaps resize_taps(const ResizeMethod& method, const ResizeAxis& axis);

}  // namespace octavo::execute
