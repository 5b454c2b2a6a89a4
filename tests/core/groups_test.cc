#include "octavo/core/weights/groups.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>

#include "core/samples.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/quantize.h"

using namespace octavo;

namespace {

struct Case {
  Shape shape;
  int axis = 0;
  int group_size = 1;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {{64}, 0, 16},         {{6, 8}, 1, 4},    {{6, 8}, 0, 4},   {{5, 7}, 1, 3},       {{5, 7}, 0, 3},
      {{3, 10, 1, 1}, 1, 4}, {{3, 5, 2}, 1, 2}, {{4, 6}, 1, 100}, {{2, 9, 3, 3}, 1, 8}, {{4, 4}, 1, 1}};
  return all;
}

Tensor sample(const Case& test) {
  return Tensor::from<float>(test.shape, std::span<const float>(sample_kinds().front().make(
                                             static_cast<std::size_t>(element_count(test.shape)), 5)));
}

/// Index of an element's scale by ONNX's words: the scales' tensor has the shape of the weight with the axis divided.
std::size_t scale_of(const Case& test, std::size_t element) {
  Shape scales = test.shape;
  auto& divided = scales[static_cast<std::size_t>(test.axis)];
  divided = (divided + test.group_size - 1) / test.group_size;
  std::size_t index = 0;
  std::size_t stride = 1;
  for (std::size_t d = test.shape.size(); d-- > 0;) {
    std::size_t at = element % static_cast<std::size_t>(test.shape[d]);
    element /= static_cast<std::size_t>(test.shape[d]);
    if (static_cast<int>(d) == test.axis) at /= static_cast<std::size_t>(test.group_size);
    index += at * stride;
    stride *= static_cast<std::size_t>(scales[d]);
  }
  return index;
}

QParams observed(const Tensor& weight, const Case& test, int bits) {
  QScheme scheme{.qtype = QType::qint8, .bits = bits, .symmetric = true, .symmetric_range = true, .axis = test.axis};
  scheme.group_size = test.group_size;
  const auto observer = observer_named("PerChannelMinMaxObserver");
  observer->fold(*observer->summarize(group_rows(weight, test.axis, test.group_size)));
  return params_of_groups(observer->compute_qparams(scheme_of_rows(scheme)), scheme);
}

}  // namespace

TEST_CASE("each group gets the scale that its largest value asks for") {
  for (const Case& test : cases()) {
    CAPTURE(test.shape, test.axis, test.group_size);
    const Tensor weight = sample(test);
    const QParams params = observed(weight, test, 4);
    CHECK(params.per_group());
    CHECK(params.axis == test.axis);
    const Shape scales = grouped_shape(test.shape, test.axis, test.group_size);
    REQUIRE(params.scale.size() == static_cast<std::size_t>(element_count(scales)));
    std::vector<float> largest(params.scale.size());
    for (std::size_t i = 0; i < weight.data<float>().size(); ++i) {
      float& value = largest[scale_of(test, i)];
      value = std::max(value, std::fabs(weight.data<float>()[i]));
    }
    for (std::size_t g = 0; g < largest.size(); ++g) CHECK(params.scale[g] == std::max(largest[g] / 7.0F, 0x1p-23F));
  }
}

TEST_CASE("groups are quantized, dequantized and fake-quantized by their own scale and zero point") {
  for (const Case& test : cases()) {
    CAPTURE(test.shape, test.axis, test.group_size);
    const Tensor weight = sample(test);
    QParams params = observed(weight, test, 8);
    for (std::size_t g = 0; g < params.zero_point.size(); ++g) params.zero_point[g] = static_cast<std::int32_t>(g % 5);
    const Tensor integers = quantize(weight, params);
    const Tensor real = dequantize(integers, params);
    const Tensor fake = fake_quantize(weight, params);
    CHECK(integers.shape() == test.shape);
    for (std::size_t i = 0; i < weight.data<float>().size(); ++i) {
      const AffineMap map = affine_map(params, scale_of(test, i));
      const float x = weight.data<float>()[i];
      CHECK(integers.data<std::int8_t>()[i] == quantize_value(x, map));
      CHECK(real.data<float>()[i] == dequantize_value(quantize_value(x, map), map));
      CHECK(fake.data<float>()[i] == fake_quantize_value(x, map));
    }
  }
}

TEST_CASE("an observer of the whole tensor gives one scale where groups were asked for") {
  const Case test{{4, 8}, 1, 4};
  const Tensor weight = sample(test);
  QScheme scheme{.qtype = QType::qint8, .symmetric = true, .axis = 1};
  scheme.group_size = 4;
  MinMaxObserver observer;
  observer.fold(*observer.summarize(group_rows(weight, 1, 4)));
  const QParams params = params_of_groups(observer.compute_qparams(scheme_of_rows(scheme)), scheme);
  CHECK(!params.per_group());
  CHECK(params.scale.size() == 1);
}
