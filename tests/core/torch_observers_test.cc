#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "octavo/core/observers/table.h"
#include "samples.h"

namespace octavo {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
const Shape kShape = {1, 3, 8};

std::vector<std::vector<float>> pictures(std::size_t count) {
  std::vector<std::vector<float>> made;
  for (std::uint32_t i = 0; i < count; ++i) {
    made.push_back(sample_kinds()[i % sample_kinds().size()].make(24, i + 40));
    for (float& v : made.back()) v *= std::ldexp(1.0F, static_cast<int>(i % 5) - 2);
  }
  return made;
}

void observe(ObserverBase& observer, const std::vector<float>& values, const Shape& shape = kShape) {
  observer.fold(*observer.summarize(TensorView(shape, values.data())));
}

QScheme scheme_of(std::string_view name) {
  QScheme scheme{.qtype = QType::quint8};
  if (name.find("PerChannel") != std::string_view::npos) scheme.axis = 1;
  return scheme;
}

TEST_CASE("Averages take so many pictures as one tensor, in shards too") {
  const auto all = pictures(7);
  for (const char* name : {"MovingAverageMinMaxObserver", "MovingAveragePerChannelMinMaxObserver", "LSQObserver",
                           "LSQPerChannelObserver"}) {
    ObserverOptions options;
    options.averaging_constant = 0.1;
    options.axis = 1;
    const auto by_tensor = observer_named(name, options);
    for (std::size_t first = 0; first < all.size(); first += 3) {
      std::vector<float> batch;
      const std::size_t end = std::min(all.size(), first + 3);
      for (std::size_t i = first; i < end; ++i) batch.insert(batch.end(), all[i].begin(), all[i].end());
      observe(*by_tensor, batch, {static_cast<std::int64_t>(end - first), 3, 8});
    }
    options.batch_size = 3;
    const auto by_picture = observer_named(name, options);
    const auto later = observer_named(name, options);
    for (std::size_t i = 0; i < all.size(); ++i) observe(i < 4 ? *by_picture : *later, all[i]);
    by_picture->merge(*later);
    INFO(name);
    const QParams expected = by_tensor->compute_qparams(scheme_of(name));
    const QParams got = by_picture->compute_qparams(scheme_of(name));
    CHECK(got.zero_point == expected.zero_point);
    REQUIRE(got.scale.size() == expected.scale.size());
    for (std::size_t i = 0; i < got.scale.size(); ++i) CHECK(got.scale[i] == Approx(expected.scale[i]).epsilon(1e-6));
  }
}

TEST_CASE("Statistics restore what follows from ranges; the others refuse and stay as they are") {
  const auto all = pictures(6);
  std::vector<TensorStatistics> tensor(1);
  std::vector<TensorStatistics> channels(3);
  for (const auto& values : all) {
    tensor[0].add(values, plain_kernels());
    for (std::size_t c = 0; c < 3; ++c) channels[c].add(std::span(values).subspan(c * 8, 8), plain_kernels());
  }
  ObserverOptions options;
  options.axis = 1;
  options.batch_size = 2;
  for (const std::string name : {"MinMaxObserver", "MovingAverageMinMaxObserver", "PerChannelMinMaxObserver",
                                 "MovingAveragePerChannelMinMaxObserver"}) {
    INFO(name);
    const auto seen = observer_named(name, options);
    for (const auto& values : all) observe(*seen, values);
    const auto restored = observer_named(name, options);
    CHECK_FALSE(restored->restore({}));
    REQUIRE(restored->restore(scheme_of(name).per_channel() ? channels : tensor));
    std::vector<std::byte> expected;
    std::vector<std::byte> got;
    seen->save(expected);
    restored->save(got);
    CHECK(got == expected);
    const auto joined = observer_named(name, options);
    REQUIRE(joined->restore(channels));  // one for the tensor joins its channels
    CHECK(joined->compute_qparams(scheme_of(name)) == seen->compute_qparams(scheme_of(name)));
  }
  for (const char* name : {"HistogramObserver", "RecordingObserver", "LSQObserver", "LSQPerChannelObserver"}) {
    const auto observer = observer_named(name, options);
    CHECK_FALSE(observer->restore(tensor));
    if (observer->has_qparams()) CHECK(observer->compute_qparams(scheme_of("")).scale[0] == 1.0F);
  }
}

TEST_CASE("PyTorch's histogram takes ranges that PyTorch gives up on, and loses no count") {
  CHECK_FALSE(HistogramObserver().mergeable());
  const std::vector<std::vector<float>> odd = {{1e-43F, -1e-43F, 0.0F},
                                               {1e-30F, -2e-30F, 1e-31F},
                                               {-5.0F, 1.0F, 2.0F},
                                               {kLargest, -kLargest, 1.0F},
                                               {std::numeric_limits<float>::infinity(), 0.0F, 1e30F},
                                               {std::nanf(""), 3.0F, 4.0F},
                                               {3.0F, 3.0F, 3.0F}};
  for (const auto& first : odd) {
    for (const auto& second : odd) {
      HistogramObserver observer;
      observe(observer, first, {3});
      observe(observer, second, {3});
      const QParams params = observer.compute_qparams({.qtype = QType::quint8});
      CAPTURE(first[0], second[0], params.scale[0]);
      CHECK((std::isfinite(params.scale[0]) && params.scale[0] > 0.0F));
      const Range range = observer.ranges({.qtype = QType::quint8})[0];
      CHECK((std::isfinite(range.min) && std::isfinite(range.max) && range.min <= range.max));
    }
  }
  const pytorch::Resampling to = pytorch::resampling({1.0F, 1.0F + 0x1p-20F}, {0.0F, 1e30F}, 4, 128);
  CHECK(to.too_fine);
  const std::vector<float> counts = {1.0F, 2.0F, 3.0F, 4.0F};
  const std::vector<float> moved = pytorch::resampled(counts, 128, to);
  CHECK(moved == std::vector<float>{10.0F, 0.0F, 0.0F, 0.0F});
}

TEST_CASE("Resampling keeps the counts on a range twice as wide, and moves none for an equal one") {
  const std::vector<float> counts = {1.0F, 2.0F, 3.0F, 4.0F};
  const Range range{0.0F, 4.0F};
  const pytorch::Resampling same = pytorch::resampling(range, range, 4, 128);
  CHECK(same.range == range);
  CHECK(pytorch::resampled(counts, 128, same) == counts);
  const pytorch::Resampling twice = pytorch::resampling(range, {-4.0F, 4.0F}, 4, 128);
  CHECK(pytorch::resampled(counts, 128, twice) == std::vector<float>{0.0F, 0.0F, 3.0F, 7.0F});
}

TEST_CASE("The histogram's limits are cut off to whole numbers, as torch.histc is called") {
  const std::vector<float> values = {-2.7F, -1.0F, 0.0F, 1.0F, 2.9F};
  const auto total = [](const std::vector<float>& counts) {
    return std::accumulate(counts.begin(), counts.end(), 0.0F);
  };
  CHECK(total(pytorch::histc(values, 8, {-2.7F, 2.9F}, {-2.7F, 2.9F})) == 3.0F);
  const std::vector<float> small = {-0.7F, 0.5F};
  CHECK(pytorch::histc(small, 2, {-0.7F, 0.5F}, {-0.7F, 0.5F}) == std::vector<float>{1.0F, 1.0F});
  const std::vector<float> one = {5.0F, 5.0F};
  CHECK(pytorch::histc(one, 4, {5.0F, 5.0F}, {5.0F, 5.0F}) == std::vector<float>{0.0F, 0.0F, 2.0F, 0.0F});
}

TEST_CASE("Fixed parameters come from the options, within the scheme's limits") {
  ObserverOptions options;
  CHECK(observer_named("FixedQParamsObserver")->compute_qparams({QType::quint8}) ==
        QParams{{1.0F / 256.0F}, {0}, -1, 0, 255, DType::u8});
  options.extra = {{"scale", 2.0 / 256.0}, {"zero_point", 128.0}};
  const auto tanh = observer_named("FixedQParamsObserver", options);
  observe(*tanh, pictures(1)[0]);
  CHECK(tanh->compute_qparams({QType::quint8}) == QParams{{2.0F / 256.0F}, {128}, -1, 0, 255, DType::u8});
  CHECK(tanh->compute_qparams({QType::qint8}).zero_point[0] == 127);
}

TEST_CASE("Observers without parameters say so; RecordingObserver keeps what it saw") {
  for (const char* name : {"PlaceholderObserver", "NoopObserver", "ReuseInputObserver", "RecordingObserver"}) {
    const auto observer = observer_named(name);
    observe(*observer, pictures(1)[0]);
    CHECK_FALSE(observer->has_qparams());
    CHECK(observer->compute_qparams({QType::quint8}).scale.empty());
  }
  RecordingObserver recording;
  const auto all = pictures(2);
  for (const auto& values : all) observe(recording, values);
  REQUIRE(recording.tensors().size() == 2);
  CHECK(recording.tensors()[1].shape() == kShape);
  CHECK(std::equal(all[1].begin(), all[1].end(), recording.tensors()[1].data<float>().begin()));
}

TEST_CASE("LSQ starts at twice the mean magnitude over the root of the largest integer") {
  LSQObserver observer;
  observe(observer, {100.0F, -100.0F}, {2});
  observe(observer, {1.0F, -3.0F}, {2});
  const QParams params = observer.compute_qparams({.qtype = QType::qint8, .symmetric = true});
  CHECK(params.scale[0] == Approx(4.0 / std::sqrt(127.0)));  // of the last batch
  LSQPerChannelObserver channels(0);
  observe(channels, {1.0F, -3.0F, 0.0F, 0.0F}, {2, 2});
  const QScheme scheme{.qtype = QType::qint8, .symmetric = true, .axis = 0};
  CHECK(channels.compute_qparams(scheme).scale[0] == Approx(4.0 / std::sqrt(127.0)));
  CHECK(channels.compute_qparams(scheme).scale[1] == 0x1p-23F);
  QScheme whole = scheme;
  whole.axis = QScheme::kPerTensor;
  CHECK(channels.compute_qparams(whole).scale[0] == Approx(2.0 / std::sqrt(127.0)));
}

}  // namespace
}  // namespace octavo
