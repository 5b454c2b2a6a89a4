#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "octavo/core/observer.h"
#include "octavo/core/require.h"

namespace octavo {

/// Parameters known beforehand, whatever is seen: PyTorch's FixedQParamsObserver. Sigmoid and Softmax take scale 1/256
/// and zero point 0, Tanh 2/256 and 128, of quint8. The state is empty.
class FixedQParamsObserver final : public ObserverBase {
 public:
  static constexpr double kScaleFrom0To1 = 1.0 / 256.0;

  static bool takes(double scale, double zero_point) {
    return scale >= double{std::numeric_limits<float>::denorm_min()} &&
           scale <= double{std::numeric_limits<float>::max()} && !std::isnan(zero_point);
  }

  /// `scale` is finite and above zero as a float; `zero_point` is brought into the limits of the scheme.
  explicit FixedQParamsObserver(double scale = kScaleFrom0To1, double zero_point = 0.0)
      : scale_(static_cast<float>(scale)), zero_point_(zero_point) {
    OCTAVO_REQUIRE(takes(scale, zero_point), "a fixed scale above zero and a number as zero point");
  }

  std::unique_ptr<Summary> summarize(const TensorView&) const override { return std::make_unique<Summary>(); }
  void fold(const Summary&) override {}
  void merge(const ObserverBase&) override {}

  /// One scale for the whole tensor under every scheme.
  QParams compute_qparams(const QScheme& scheme) const override {
    QParams params = qparams_from_range({}, scheme);
    const double zero_point =
        std::clamp(std::nearbyint(zero_point_), double(params.quant_min), double(params.quant_max));
    params.scale[0] = scale_;
    params.zero_point[0] = static_cast<std::int32_t>(zero_point);
    return params;
  }
  bool restore(std::span<const TensorStatistics>) override { return true; }

  void save(std::vector<std::byte>&) const override {}
  bool load(std::span<const std::byte> bytes) override { return bytes.empty(); }

 private:
  float scale_;
  double zero_point_;
};

}  // namespace octavo
