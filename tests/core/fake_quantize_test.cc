#include "octavo/core/fake_quantize.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "octavo/core/observers/min_max.h"
#include "octavo/core/observers/per_channel_min_max.h"

namespace octavo {
namespace {

std::vector<float> values_of(const Tensor& tensor) {
  return {tensor.data<float>().begin(), tensor.data<float>().end()};
}

TEST_CASE("FakeQuantize follows its observer until it is told not to") {
  FakeQuantize step({QType::quint8}, std::make_unique<MinMaxObserver>());
  CHECK(step.qparams().scale[0] == 1.0F);
  const Tensor first = Tensor::from<float>({3}, {0.0F, 0.6F, 255.0F});
  CHECK(values_of(step.forward(first)) == std::vector<float>{0.0F, 1.0F, 255.0F});

  step.enable_fake_quant(false);
  const Tensor second = Tensor::from<float>({2}, {510.0F, 0.3F});
  CHECK(values_of(step.forward(second)) == values_of(second));
  CHECK(step.qparams().scale[0] == 2.0F);

  step.enable_fake_quant(true);
  step.enable_observer(false);
  const Tensor third = Tensor::from<float>({2}, {2000.0F, 3.0F});
  CHECK(values_of(step.forward(third)) == std::vector<float>{510.0F, 4.0F});
  step.enable_observer(true);
  step.freeze();
  step.enable_observer(true);
  CHECK_FALSE(step.observes());
  CHECK(step.fake_quantizes());
  CHECK(values_of(step.forward(third)) == std::vector<float>{510.0F, 4.0F});
}

TEST_CASE("Fixed parameters need no observer") {
  FakeQuantize step(QParams{{1.0F / 256.0F}, {0}, QScheme::kPerTensor, 0, 255, DType::u8});
  CHECK_FALSE(step.observes());
  CHECK(values_of(step.forward(Tensor::from<float>({2}, {0.5F, 1.0F}))) == std::vector<float>{0.5F, 255.0F / 256.0F});
}

TEST_CASE("Channels have parameters of their own along any axis, in every storage") {
  const Shape shape = {2, 3, 2};
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<float> values;
    for (std::size_t i = 0; i < 12; ++i) {
      const std::size_t index = axis == 0 ? i / 6 : axis == 1 ? i / 2 % 3 : i % 2;
      values.push_back(static_cast<float>(i + 1) * (index == 0 ? 1.0F : index == 1 ? 100.0F : 0.01F));
    }
    for (const QScheme scheme :
         {QScheme{QType::qint8, 8, true, true, axis}, QScheme{QType::quint8, 8, false, false, axis},
          QScheme{QType::qint8, 16, true, false, axis}, QScheme{QType::quint8, 12, false, false, axis}}) {
      const TensorView x(shape, values.data());
      PerChannelMinMaxObserver observer(axis);
      observer.fold(*observer.summarize(x));
      const QParams params = observer.compute_qparams(scheme);
      REQUIRE(params.scale.size() == static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]));
      const Tensor q = quantize(x, params);
      CHECK(q.dtype() == scheme.storage());
      const Tensor back = dequantize(q, params);
      CHECK(back.shape() == shape);
      for (std::size_t i = 0; i < values.size(); ++i) CHECK(back.data<float>()[i] == Approx(values[i]).epsilon(0.06));
      CHECK(values_of(fake_quantize(back, params)) == values_of(back));
    }
  }
}

TEST_CASE("Tensors without elements and scalars go through") {
  const QParams params{{0.5F}, {0}, QScheme::kPerTensor, -128, 127, DType::i8};
  CHECK(quantize(Tensor(DType::f32, {0, 4}), params).shape() == Shape{0, 4});
  CHECK(quantize(Tensor::scalar(1.0F), params).data<std::int8_t>()[0] == 2);
  const QParams channels{{1.0F, 2.0F}, {0, 0}, 1, -128, 127, DType::i8};
  CHECK(quantize(Tensor(DType::f32, {0, 2}), channels).size() == 0);
}

TEST_CASE("Biases of 32 bits dequantize") {
  const QParams params{{0.5F, 0.25F}, {0, 0}, 0, -2147483647 - 1, 2147483647, DType::i32};
  const Tensor bias = Tensor::from<std::int32_t>({2}, {-2147483647 - 1, 3});
  CHECK(values_of(dequantize(bias, params)) == std::vector<float>{-1073741824.0F, 0.75F});
}

}  // namespace
}  // namespace octavo
