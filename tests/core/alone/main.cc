// Calibrates and quantizes with core alone, built without exceptions and run-time types.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"

int main() {
  using namespace octavo;
  const std::array<float, 6> values = {-1.0F, -0.5F, 0.0F, 0.25F, 1.0F, 2.0F};
  const std::array<std::int64_t, 2> shape = {2, 3};
  const TensorView x(shape, values.data());
  for (const ObserverEntry& entry : observers()) {
    for (const FakeQuantizeEntry& step : fake_quantizers()) {
      if (!entry.make({})->has_qparams()) continue;
      const auto fake_quantize = step.make({.qtype = QType::quint8}, entry.make({}), plain_kernels());
      const Tensor y = fake_quantize->forward(x);
      const float half_step = fake_quantize->qparams().scale[0] * 0.51F;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool clipped_or_near = std::fabs(y.data<float>()[i]) <= std::fabs(values[i]) + half_step;
        if (!clipped_or_near) return 1;
      }
    }
  }
  const QScheme scheme{QType::qint8, 8, true, true, 0};
  const auto observer = observer_named("PerChannelMinMaxObserver");
  observer->fold(*observer->summarize(x));
  const QuantizedTensor weight =
      weight_methods()[0].quantize(x, scheme, observer->compute_qparams(scheme), plain_kernels());
  return weight.integers.data<std::int8_t>()[5] == 127 ? 0 : 1;
}
