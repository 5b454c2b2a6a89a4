#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "octavo/core/observers/table.h"
#include "samples.h"

namespace octavo {
namespace {

const Shape kShape = {1, 3, 8, 8};
using State = std::vector<std::byte>;

ObserverOptions options() {
  ObserverOptions options;
  options.averaging_constant = 0.1;
  options.axis = 1;
  options.bins = 512;
  return options;
}

const std::vector<std::vector<float>>& pictures() {
  static const std::vector<std::vector<float>> all = [] {
    std::vector<std::vector<float>> made;
    for (std::uint32_t i = 0; i < 20; ++i) {
      made.push_back(sample_kinds()[i % sample_kinds().size()].make(192, i));
      for (float& v : made.back()) v *= std::ldexp(1.0F, static_cast<int>(i % 7) - 3);
    }
    made[4].assign(192, 0.0F);
    made[9].assign(192, std::numeric_limits<float>::quiet_NaN());
    made[11][5] = std::numeric_limits<float>::infinity();
    return made;
  }();
  return all;
}

void observe(ObserverBase& observer, std::size_t picture) {
  observer.fold(*observer.summarize(TensorView(kShape, pictures()[picture].data())));
}

State state_of(const ObserverBase& observer) {
  State state;
  observer.save(state);
  return state;
}

QScheme scheme_for(const std::string& name) {
  return {.qtype = QType::quint8, .axis = name.find("PerChannel") != std::string::npos ? 1 : QScheme::kPerTensor};
}

TEST_CASE("Shards merge to the state of one run, to the bit") {
  for (const ObserverEntry& entry : observers()) {
    const auto whole = entry.make(options());
    if (!whole->mergeable()) continue;
    for (std::size_t i = 0; i < pictures().size(); ++i) observe(*whole, i);
    for (const std::size_t shards : {1U, 3U, 8U, 20U}) {
      const auto joined = entry.make(options());
      for (std::size_t shard = 0; shard < shards; ++shard) {
        const auto part = entry.make(options());
        const std::size_t begin = shard * pictures().size() / shards;
        const std::size_t end = (shard + 1) * pictures().size() / shards;
        for (std::size_t i = begin; i < end; ++i) observe(*part, i);
        joined->merge(*part);
      }
      INFO(entry.name << " in " << shards << " shards");
      CHECK(state_of(*joined) == state_of(*whole));
      CHECK(joined->compute_qparams(scheme_for(std::string(entry.name))) ==
            whole->compute_qparams(scheme_for(std::string(entry.name))));
    }
  }
}

TEST_CASE("A saved state loads and goes on; broken bytes change nothing") {
  for (const ObserverEntry& entry : observers()) {
    INFO(entry.name);
    const auto whole = entry.make(options());
    const auto resumed = entry.make(options());
    for (std::size_t i = 0; i < 7; ++i) observe(*whole, i);
    State half = state_of(*whole);
    REQUIRE(resumed->load(half));
    for (std::size_t i = 7; i < pictures().size(); ++i) {
      observe(*whole, i);
      observe(*resumed, i);
    }
    const State full = state_of(*whole);
    CHECK(state_of(*resumed) == full);

    half.push_back(std::byte{1});
    CHECK_FALSE(resumed->load(half));
    half.pop_back();
    if (!half.empty()) {
      half.pop_back();
      CHECK_FALSE(resumed->load(half));
    }
    const State hostile(64, std::byte{0xFF});
    CHECK_FALSE(resumed->load(hostile));
    CHECK(state_of(*resumed) == full);
  }
}

TEST_CASE("Parameters are sound whatever was seen, nothing included") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<std::vector<float>> odd = {
      {},       {0.0F}, {-0.0F}, {std::nanf("")}, {infinity}, {-infinity, infinity},
      {1e-45F}, {5.0F}, {-5.0F}, {3e38F, -3e38F}};
  for (const ObserverEntry& entry : observers()) {
    for (const auto& values : odd) {
      for (const QScheme scheme : {QScheme{QType::quint8}, QScheme{QType::qint8, 8, true, true}}) {
        const auto observer = entry.make(options());
        if (!observer->has_qparams()) continue;
        std::vector<float> tensor(192, values.empty() ? 0.0F : values.front());
        if (!values.empty()) tensor.back() = values.back();
        if (!values.empty()) observer->fold(*observer->summarize(TensorView(kShape, tensor.data())));
        QScheme own = scheme;
        own.axis = scheme_for(std::string(entry.name)).axis;
        const QParams params = observer->compute_qparams(own);
        INFO(entry.name << " after " << (values.empty() ? 0.0F : values.front()));
        REQUIRE(params.scale.size() == (values.empty() || !own.per_channel() ? 1U : 3U));
        for (std::size_t i = 0; i < params.scale.size(); ++i) {
          CHECK((std::isfinite(params.scale[i]) && params.scale[i] > 0.0F));
          CHECK((params.zero_point[i] >= params.quant_min && params.zero_point[i] <= params.quant_max));
        }
        if (!values.empty() || entry.name == "FixedQParamsObserver") continue;
        CHECK((params.scale[0] == 1.0F && params.zero_point[0] == 0));
      }
    }
  }
}

TEST_CASE("Channels join under a scheme per tensor") {
  const auto channels = observer_named("PerChannelMinMaxObserver", options());
  const auto tensor = observer_named("MinMaxObserver", options());
  for (std::size_t i = 0; i < 4; ++i) {
    observe(*channels, i);
    observe(*tensor, i);
  }
  CHECK(channels->compute_qparams({QType::quint8}) == tensor->compute_qparams({QType::quint8}));
}

TEST_CASE("Searches clip what they are for: one far outlier") {
  const std::vector<float> values = sample_kinds()[3].make(192, 77);
  const QScheme scheme{QType::qint8, 4, true, true};
  const auto scale_by = [&](const char* name) {
    ObserverOptions o = options();
    o.percentile = 98.0;
    const auto observer = observer_named(name, o);
    observer->fold(*observer->summarize(TensorView(kShape, values.data())));
    return observer->compute_qparams(scheme).scale[0];
  };
  CHECK(scale_by("MinMaxObserver") == 37.5F / 7.0F);
  CHECK(scale_by("PercentileObserver") < 1.0F);
}

TEST_CASE("Names are known or give null, and no two are the same") {
  for (const ObserverEntry& entry : observers()) {
    CHECK(observer_named(entry.name) != nullptr);
    CHECK(find_observer(entry.name) == &entry);
  }
  CHECK(observer_named("NobodysObserver") == nullptr);
}

}  // namespace
}  // namespace octavo
