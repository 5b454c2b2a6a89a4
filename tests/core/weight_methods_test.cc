#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"
#include "samples.h"

namespace octavo {
namespace {

const Shape kShape = {6, 5, 3, 3};
constexpr std::size_t kSize = 6 * 45;

const WeightMethodEntry& method_named(std::string_view name) { return *entry_named(weight_methods(), name); }

Tensor weight_of(std::uint32_t seed) {
  std::vector<float> values = sample_kinds()[seed % sample_kinds().size()].make(kSize, seed);
  if (seed == 6) std::fill_n(values.begin() + 45, 45, 0.0F);
  if (seed == 7) {
    values[3] = std::numeric_limits<float>::quiet_NaN();
    values[50] = std::numeric_limits<float>::infinity();
    for (std::size_t i = 90; i < 135; ++i) values[i] *= 1e-36F;
  }
  return Tensor::from<float>(kShape, values);
}

QParams observed_by_min_max(const Tensor& weight, const QScheme& scheme) {
  if (scheme.per_group()) {
    QParams params = qparams_from_ranges(channel_ranges(weight, scheme.axis, plain_kernels()),
                                         {scheme.qtype, scheme.bits, scheme.symmetric, scheme.symmetric_range, 0});
    params.axis = scheme.axis;
    params.group_size = scheme.group_size;
    // Per group of the second dimension: the scale of the whole row will do as a start.
    const std::vector<std::int64_t> shape = grouped_shape(kShape, scheme.axis, scheme.group_size);
    const auto count = static_cast<std::size_t>(element_count(shape));
    params.scale.assign(count, *std::max_element(params.scale.begin(), params.scale.end()));
    params.zero_point.assign(count, 0);
    return params;
  }
  if (scheme.per_channel()) return qparams_from_ranges(channel_ranges(weight, scheme.axis, plain_kernels()), scheme);
  return qparams_from_range(plain_kernels().min_max_f32(weight.data<float>().data(), kSize), scheme);
}

/// Squared error of each scale's elements.
std::vector<double> errors(const Tensor& weight, const QuantizedTensor& q) {
  std::vector<double> sums(q.params.scale.size(), 0.0);
  const Tensor back = dequantize(q.integers, q.params);
  const auto runs = detail::runs_by_scale(kShape, q.params);
  for (std::size_t s = 0; s < runs.size(); ++s) {
    for (const auto& [offset, count] : runs[s]) {
      for (std::size_t i = offset; i < offset + count; ++i) {
        const double error = double{back.data<float>()[i]} - double{weight.data<float>()[i]};
        if (std::isfinite(error)) sums[s] += error * error;
      }
    }
  }
  return sums;
}

std::vector<QScheme> schemes(bool symmetric_only) {
  std::vector<QScheme> all = {{QType::qint8, 8, true, true, 0}, {QType::qint8, 8, true, true},
                              {QType::qint8, 4, true, true, 0}, {QType::qint8, 8, true, false, 1},
                              {QType::qint8, 2, true, true, 0}, {QType::qint8, 12, true, true, 0}};
  QScheme grouped{QType::qint8, 4, true, true, 1};
  grouped.group_size = 2;
  all.push_back(grouped);
  for (const int bits : {2, 3, 8}) {
    QScheme& power = all.emplace_back(QScheme{QType::qint8, bits, true, true, 0});
    power.power_of_two = true;
  }
  all.push_back({QType::quint8, 8, true, false, 0});
  if (symmetric_only) return all;
  all.push_back({QType::quint8, 8, false, false, 0});
  all.push_back({QType::qint8, 4, false, false, 0});
  return all;
}

TEST_CASE("Every weight method keeps limits, axis and storage, and gives finite scales") {
  for (const WeightMethodEntry& method : weight_methods()) {
    for (std::uint32_t seed = 0; seed < 8; ++seed) {
      const Tensor weight = weight_of(seed);
      for (const QScheme& scheme : schemes(method.symmetric_only)) {
        const QParams observed = observed_by_min_max(weight, scheme);
        const QuantizedTensor q = method.quantize(weight, scheme, observed, plain_kernels());
        CAPTURE(method.name, seed, scheme.bits, scheme.symmetric, scheme.axis, scheme.group_size);
        QParams found = q.params;
        found.scale = observed.scale;
        found.zero_point = observed.zero_point;
        CHECK(found == observed);
        for (std::size_t i = 0; i < q.params.scale.size(); ++i) {
          CHECK((std::isfinite(q.params.scale[i]) && q.params.scale[i] > 0.0F));
          CHECK((q.params.zero_point[i] >= scheme.quant_min() && q.params.zero_point[i] <= scheme.quant_max()));
          int exponent = 0;
          if (scheme.power_of_two) CHECK(std::frexp(q.params.scale[i], &exponent) == 0.5F);
        }
        QParams unit = q.params;  // dequantized with scale 1 and zero point 0, integers are themselves
        std::fill(unit.scale.begin(), unit.scale.end(), 1.0F);
        std::fill(unit.zero_point.begin(), unit.zero_point.end(), 0);
        const Tensor integers = dequantize(q.integers, unit);
        bool within = true;
        for (const float v : integers.data<float>()) {
          within = within && v >= static_cast<float>(scheme.quant_min()) && v <= static_cast<float>(scheme.quant_max());
        }
        CHECK(within);
      }
    }
  }
}

TEST_CASE("The least squared error is no more than that of min-max, for every scale") {
  for (std::uint32_t seed = 0; seed < 7; ++seed) {
    const Tensor weight = weight_of(seed);
    for (const QScheme& scheme : schemes(false)) {
      const QParams observed = observed_by_min_max(weight, scheme);
      const auto whole = errors(weight, method_named("minmax").quantize(weight, scheme, observed, plain_kernels()));
      const auto least = errors(weight, method_named("mse").quantize(weight, scheme, observed, plain_kernels()));
      CAPTURE(seed, scheme.bits, scheme.symmetric, scheme.axis);
      double sum_whole = 0.0;
      double sum_least = 0.0;
      for (std::size_t i = 0; i < whole.size(); ++i) {
        CHECK(least[i] <= whole[i] * (1.0 + 1e-5) + 1e-30);
        sum_whole += whole[i];
        sum_least += least[i];
      }
      if (scheme.bits == 4 && !scheme.per_group()) CHECK(sum_least < sum_whole);
    }
  }
}

TEST_CASE("The converged ADMM has no more error than its start") {
  for (std::uint32_t seed = 0; seed < 7; ++seed) {
    const Tensor weight = weight_of(seed);
    for (const QScheme& scheme : schemes(true)) {
      if (scheme.power_of_two) continue;
      const QParams observed = observed_by_min_max(weight, scheme);
      QuantizedTensor start{observed, {}};
      const auto runs = detail::runs_by_scale(kShape, observed);
      for (std::size_t s = 0; s < runs.size(); ++s) {
        std::vector<float> values;
        for (const auto& [offset, count] : runs[s]) {
          const auto part = weight.data<float>().subspan(offset, count);
          values.insert(values.end(), part.begin(), part.end());
        }
        const float scale = detail::admm_start(values, scheme.bits, detail::symmetric_bound(affine_map(observed, s)));
        if (scale > scheme.eps) start.params.scale[s] = scale;
      }
      start.integers = quantize(weight, start.params);
      const auto before = errors(weight, start);
      const auto after = errors(weight, method_named("admm").quantize(weight, scheme, observed, plain_kernels()));
      CAPTURE(seed, scheme.bits, scheme.axis, scheme.group_size);
      for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i] <= before[i] * (1.0 + 1e-5) + 1e-30);
    }
  }
}

/// TNN's InitWeightScaleADMM, UpdateQuantizedWeightsADMM and UpdateAlphaADMM for one channel, all 1000 rounds.
float plain_tnn_admm(const std::vector<float>& w, int bits, std::vector<int>& q) {
  const float bound = std::pow(2.0F, static_cast<float>(bits - 1)) - 1.0F;
  float largest = 0.0F;
  for (const float v : w) largest = std::max(largest, std::fabs(v));
  auto scale = static_cast<float>(double{largest} / (double{bound} * 1.25));
  q.resize(w.size());
  for (int round = 0; round < 1000; ++round) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const float steps = w[i] / (scale + 1e-9F);
      q[i] = static_cast<int>(std::min(bound, std::max(-bound, std::round(steps))));
    }
    float sum1 = 0.0F;
    float sum2 = 0.0F;
    for (std::size_t i = 0; i < w.size(); ++i) {
      sum1 += w[i] * static_cast<float>(q[i]);
      sum2 += static_cast<float>(q[i] * q[i]);
    }
    scale = sum1 / (sum2 + 1e-9F);
  }
  return scale;
}

TEST_CASE("TNN's ADMM is TNN's, to the bit") {
  for (const int bits : {8, 5}) {
    const QScheme scheme{QType::qint8, bits, true, true, 0};
    for (std::uint32_t seed = 0; seed < 7; ++seed) {
      const Tensor weight = weight_of(seed);
      const auto values = weight.data<float>();
      const QParams observed = observed_by_min_max(weight, scheme);
      const QuantizedTensor found = method_named("tnn_admm").quantize(weight, scheme, observed, plain_kernels());
      for (std::size_t c = 0; c < 6; ++c) {
        std::vector<int> q;
        const auto row = values.subspan(c * 45, 45);
        const float scale = plain_tnn_admm({row.begin(), row.end()}, bits, q);
        CAPTURE(bits, seed, c);
        if (scale == 0.0F) {  // a zero channel: the observer's scale instead of TNN's 0
          CHECK(found.params.scale[c] == observed.scale[c]);
        } else {
          CHECK(found.params.scale[c] == scale);
        }
        const auto integers = found.integers.data<std::int8_t>().subspan(c * 45, 45);
        CHECK(std::equal(integers.begin(), integers.end(), q.begin()));
      }
    }
  }
}

TEST_CASE("The quick squared error is that of quantizing and dequantizing") {
  for (const QScheme& scheme : schemes(false)) {
    QScheme whole = scheme;
    whole.axis = QScheme::kPerTensor;
    whole.group_size = 0;
    const Tensor weight = weight_of(2);
    const QParams params = observed_by_min_max(weight, whole);
    const QuantizedTensor q{params, quantize(weight, params)};
    CHECK(detail::squared_error(weight.data<float>(), affine_map(params, 0)) ==
          Approx(errors(weight, q)[0]).epsilon(1e-5));
  }
}

}  // namespace
}  // namespace octavo
