#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "octavo/core/observers/table.h"
#include "octavo/core/quantize.h"

namespace octavo {
namespace {

const Shape kShape = {2, 3, 4};

/// One case of golden/observers.txt.
struct Case {
  std::string sequence, observer;
  QScheme scheme;
  double constant = 0.01;
  std::vector<std::vector<float>> batches;
  std::vector<float> scale, fake;
  std::vector<std::int32_t> zero_point, quantized;
};

std::vector<float> floats(std::istream& line) {
  std::vector<float> values;
  for (std::uint32_t bits = 0; line >> std::hex >> bits;) values.push_back(std::bit_cast<float>(bits));
  return values;
}

std::vector<std::int32_t> integers(std::istream& line) {
  std::vector<std::int32_t> values;
  for (std::int32_t value = 0; line >> value;) values.push_back(value);
  return values;
}

Case heading(std::istream& line) {
  Case c;
  std::string qtype;
  line >> c.observer >> qtype >> c.scheme.bits >> c.scheme.symmetric >> c.scheme.symmetric_range >> c.constant;
  c.scheme.qtype = qtype == "qint8" ? QType::qint8 : QType::quint8;
  if (c.observer.find("PerChannel") != std::string::npos) c.scheme.axis = 1;
  return c;
}

std::vector<Case> read_cases() {
  std::ifstream file(std::string(OCTAVO_SOURCE_DIR) + "/tests/core/golden/observers.txt");
  std::vector<Case> cases;
  std::string sequence;
  std::vector<std::vector<float>> batches;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string key;
    line >> key;
    if (key == "sequence") {
      line >> sequence;
      batches.clear();
    }
    if (key == "batch") batches.push_back(floats(line));
    if (key == "case") {
      cases.push_back(heading(line));
      cases.back().sequence = sequence;
      cases.back().batches = batches;
    }
    if (key == "scale") cases.back().scale = floats(line);
    if (key == "fake") cases.back().fake = floats(line);
    if (key == "zero_point") cases.back().zero_point = integers(line);
    if (key == "quantized") cases.back().quantized = integers(line);
  }
  return cases;
}

bool within_4_ulp(float a, float b) {
  const std::int64_t distance = std::int64_t{std::bit_cast<std::int32_t>(a)} - std::bit_cast<std::int32_t>(b);
  return std::abs(distance) <= 4;
}

TEST_CASE("Observers and quantization give PyTorch's numbers") {
  const std::vector<Case> cases = read_cases();
  REQUIRE(cases.size() == 320);
  for (const Case& c : cases) {
    CAPTURE(c.sequence, c.observer, c.scheme.bits, c.scheme.is_signed(), c.scheme.symmetric, c.scheme.symmetric_range);
    ObserverOptions options;
    options.averaging_constant = c.constant;
    options.axis = 1;
    const auto observer = observer_named(c.observer, options);
    REQUIRE(observer != nullptr);
    for (const auto& batch : c.batches) observer->fold(*observer->summarize(TensorView(kShape, batch.data())));
    QParams params = observer->compute_qparams(c.scheme);
    REQUIRE(params.scale.size() == c.scale.size());
    for (std::size_t i = 0; i < c.scale.size(); ++i) CHECK(within_4_ulp(params.scale[i], c.scale[i]));
    CHECK(params.zero_point == c.zero_point);

    params.scale = c.scale;
    const TensorView last(kShape, c.batches.back().data());
    const Tensor fake = fake_quantize(last, params);
    CHECK(std::vector<float>(fake.data<float>().begin(), fake.data<float>().end()) == c.fake);
    params.storage = DType::i16;  // holds signed and unsigned integers alike
    const Tensor quantized = quantize(last, params);
    CHECK(std::vector<std::int32_t>(quantized.data<std::int16_t>().begin(), quantized.data<std::int16_t>().end()) ==
          c.quantized);
  }
}

}  // namespace
}  // namespace octavo
