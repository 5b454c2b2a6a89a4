#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/observers/table.h"

namespace octavo {
namespace {

std::vector<float> values_of(const Tensor& tensor) {
  return {tensor.data<float>().begin(), tensor.data<float>().end()};
}

QParams fused(Range range, const QScheme& scheme) { return fused_qparams_from_ranges({&range, 1}, scheme); }

TEST_CASE("Each fake-quantizer observes and quantizes, both, either or neither, until it is frozen") {
  const Tensor first = Tensor::from<float>({4}, {-1.0F, 0.3F, 2.0F, 0.6F});
  const Tensor second = Tensor::from<float>({4}, {-9.0F, 0.7F, 5.0F, 1.1F});
  for (const FakeQuantizeEntry& entry : fake_quantizers()) {
    INFO(entry.name);
    const bool fixed = entry.name == "FixedQParamsFakeQuantize";
    const QScheme scheme{.qtype = QType::qint8, .bits = 4, .symmetric = true};
    ObserverOptions options;
    options.extra = {{"scale", 0.5}};
    const auto step =
        entry.make(scheme, observer_named(fixed ? "FixedQParamsObserver" : "MovingAverageMinMaxObserver", options),
                   plain_kernels());
    CHECK(step->fake_quantizes());
    CHECK(step->observes() == !fixed);
    CHECK(values_of(step->forward(first)) != values_of(first));
    const QParams after_first = step->qparams();

    step->enable_fake_quant(false);
    CHECK(values_of(step->forward(second)) == values_of(second));
    CHECK((step->qparams() == after_first) == fixed);
    const QParams after_second = step->qparams();

    step->enable_fake_quant(true);
    step->enable_observer(false);
    CHECK(values_of(step->forward(first)) == values_of(fake_quantize(first, after_second)));
    CHECK(step->qparams() == after_second);
    step->freeze();
    CHECK_FALSE(step->observes());
    CHECK(values_of(step->forward(second)) == values_of(fake_quantize(second, after_second)));
    CHECK(step->qparams() == after_second);
  }
}

TEST_CASE("An observer without parameters lets everything pass") {
  FakeQuantize step({QType::quint8}, observer_named("PlaceholderObserver"));
  const Tensor x = Tensor::from<float>({2}, {0.123F, 4.567F});
  CHECK(values_of(step.forward(x)) == values_of(x));
}

TEST_CASE("Fused parameters are those of ChooseQuantizationParams") {
  const QScheme symmetric{.qtype = QType::qint8, .symmetric = true};
  CHECK(fused({0.0F, 4.0F}, symmetric).scale[0] == Approx(4.0 / 255.0));  // all of one sign: no middle
  CHECK(fused({0.0F, 4.0F}, symmetric).zero_point[0] == -128);
  CHECK(fused({-4.0F, 4.0F}, symmetric).scale[0] == Approx(4.0 / 127.0));
  CHECK(fused({-4.0F, 4.0F}, symmetric).zero_point[0] == 0);
  CHECK(fused({-4.0F, 4.0F}, {.qtype = QType::qint8, .symmetric = true, .symmetric_range = true}).scale[0] ==
        Approx(4.0 / 126.5).epsilon(0.01));
  CHECK(fused({-1.0F, 1.0F}, {.qtype = QType::quint8, .symmetric = true, .explicit_range = true}).zero_point[0] == 128);
  CHECK(fused({0.0F, 0.0F}, symmetric).scale[0] == 0.1F);
  CHECK(fused({-1e-6F, 1e-6F}, {QType::quint8}).scale[0] == 6.1e-5F);
  CHECK(fused({}, symmetric) == qparams_from_range({}, symmetric));
  QScheme power = symmetric;
  power.power_of_two = true;
  CHECK(fused({-4.0F, 4.0F}, power).scale[0] == 0.0625F);
  // Of two integers neither can be a middle's side.
  for (const auto& [bits, reduced] : {std::pair{1, false}, std::pair{2, true}}) {
    const QParams two = fused({-1.0F, 3.0F}, {.bits = bits, .symmetric = true, .reduce_range = reduced});
    CHECK(two.scale[0] == 4.0F);
    CHECK(two.zero_point[0] == 0);
  }
  // Observers without ranges give their own.
  const auto fixed = observer_named("FixedQParamsObserver");
  CHECK(FusedMovingAvgObsFakeQuantize::qparams_of(*fixed, symmetric) == fixed->compute_qparams(symmetric));
}

TEST_CASE("Fused parameters per channel are those of each channel alone") {
  const std::vector<Range> ranges = {{-1.0F, 3.0F}, {0.0F, 2.0F}, {}};
  QScheme scheme{.qtype = QType::quint8, .axis = 1};
  const QParams params = fused_qparams_from_ranges(ranges, scheme);
  scheme.axis = QScheme::kPerTensor;
  for (std::size_t c = 0; c < ranges.size(); ++c) {
    CHECK(params.scale[c] == fused(ranges[c], scheme).scale[0]);
    CHECK(params.zero_point[c] == fused(ranges[c], scheme).zero_point[0]);
  }
  CHECK(params.axis == 1);
}

TEST_CASE("Learned parameters start from the observer and are the training's afterwards") {
  LearnableFakeQuantize step({.qtype = QType::quint8}, observer_named("LSQObserver"));
  const Tensor x = Tensor::from<float>({4}, {-1.0F, 0.5F, 2.0F, 6.0F});
  step.forward(x);
  CHECK(step.qparams().scale[0] == Approx(2.0 * 2.375 / std::sqrt(255.0)));
  CHECK(step.learned().zero_point[0] == static_cast<float>(step.qparams().zero_point[0]));
  step.enable_observer(false);

  step.learn({-0.5F}, {3.4F});
  CHECK(step.qparams() == QParams{{0.5F}, {3}, -1, 0, 255, DType::u8});
  CHECK(step.learned().zero_point[0] == 3.4F);
  CHECK(values_of(step.forward(x)) == values_of(fake_quantize(x, step.qparams())));
  step.learn({1e-30F}, {1000.0F});
  CHECK(step.qparams().scale[0] == 0x1p-23F);
  CHECK(step.qparams().zero_point[0] == 255);
  step.learn({std::nanf("")}, {std::nanf("")});
  CHECK(step.qparams().scale[0] == 0x1p-23F);
  CHECK(step.qparams().zero_point[0] == 0);

  LearnableFakeQuantize symmetric({.qtype = QType::quint8, .symmetric = true}, observer_named("LSQObserver"));
  symmetric.forward(x);
  CHECK(symmetric.qparams().zero_point[0] == 0);  // as MMRazor has it
  symmetric.learn({0.1F}, {7.0F});
  CHECK(symmetric.qparams().zero_point[0] == 0);
}

TEST_CASE("Gradients of learned parameters are scaled by the elements that share them") {
  const std::vector<float> values = {-20.0F, 0.3F, 1.2F, 20.0F, -0.4F, 0.1F};
  const Tensor x = Tensor::from<float>({2, 3}, std::span<const float>(values));
  const Tensor dy = Tensor::from<float>({2, 3}, {1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F});
  CHECK(lsq_gradient_factor(100, 4) == 0.05F);
  ObserverOptions options;
  LearnableFakeQuantize channels({.qtype = QType::qint8, .bits = 4, .axis = 0},
                                 observer_named("LSQPerChannelObserver", options));
  channels.forward(x);
  channels.learn({1.0F, 1.0F}, {0.0F, 0.0F});
  const LearnableGradients gradients = channels.backward(x, dy);
  const float factor = lsq_gradient_factor(3, 7);
  CHECK(values_of(gradients.x) == std::vector<float>{0.0F, 1.0F, 1.0F, 0.0F, 1.0F, 1.0F});
  REQUIRE(gradients.scale.size() == 2);
  CHECK(gradients.scale[0] == Approx(factor * (-8.0 - 0.3 - 0.2)));
  CHECK(gradients.scale[1] == Approx(factor * (7.0 + 0.4 - 0.1)));
  CHECK(gradients.zero_point[0] == Approx(-factor));
  CHECK(gradients.zero_point[1] == Approx(-factor));
}

TEST_CASE("Nothing passes back where a value was clipped or is no number") {
  const QParams params{{0.5F, 1.0F}, {0, 10}, 0, 0, 15, DType::u8};
  const Tensor x = Tensor::from<float>({2, 3}, {-0.2F, -0.3F, 7.7F, 5.4F, 5.6F, std::nanf("")});
  const Tensor dy = Tensor::from<float>({2, 3}, {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F});
  CHECK(values_of(fake_quantize_gradient(x, dy, params)) == std::vector<float>{1.0F, 0.0F, 3.0F, 4.0F, 0.0F, 0.0F});
}

TEST_CASE("The scale's gradient is the slope of the loss where nothing changes its step") {
  // Far from every rounding boundary, with a loss that is the sum of all outputs.
  const Tensor x = Tensor::from<float>({4}, {-30.0F, 0.2F, 1.9F, 30.0F});
  const Tensor dy = Tensor::from<float>({4}, {1.0F, 1.0F, 1.0F, 1.0F});
  const auto clipped = [&](float scale) {
    const std::vector<float> y = values_of(fake_quantize(x, {{scale}, {2}, -1, 0, 15, DType::u8}));
    return double{y[0]} + double{y[3]};
  };
  const LearnableQParams params{{1.0F}, {2.0F}, QScheme::kPerTensor, 0, 15};
  const double of_clipped = (clipped(1.01F) - clipped(0.99F)) / 0.02;
  const double of_rounded = (0.0 - 0.2) + (2.0 - 1.9);  // straight-through: (quantized - x) / scale
  CHECK(learnable_gradients(x, dy, params, 1.0F).scale[0] == Approx(of_clipped + of_rounded).epsilon(1e-4));
}

TEST_CASE("Names of fake-quantizers are known") {
  for (const char* name :
       {"FakeQuantize", "FixedQParamsFakeQuantize", "FusedMovingAvgObsFakeQuantize", "LearnableFakeQuantize"}) {
    CHECK(entry_named(fake_quantizers(), name) != nullptr);
  }
}

}  // namespace
}  // namespace octavo
