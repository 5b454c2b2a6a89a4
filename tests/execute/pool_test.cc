#include <catch2/catch.hpp>
#include <limits>

#include "execute/support.h"

using namespace octavo;
using octavo::test::random_tensor;
using octavo::test::run_text;

namespace {

struct Case {
  std::int64_t kernel, stride, dilation, pad_begin, pad_end, ceil;
};

/// One row pooled as the definition says: mean over what is inside, maximum and its index.
struct Pooled {
  std::vector<float> maximum, mean, mean_padded;
  std::vector<std::int64_t> index;
};

Pooled reference(const Case& c, std::span<const float> x) {
  Pooled result;
  const auto size = static_cast<std::int64_t>(x.size());
  const std::int64_t padded = size + c.pad_begin + c.pad_end;
  const std::int64_t reach = (c.kernel - 1) * c.dilation + 1;
  for (std::int64_t start = -c.pad_begin;; start += c.stride) {
    const bool whole = start + c.pad_begin + reach <= padded;
    if (!whole && (c.ceil == 0 || start + c.pad_begin + reach >= padded + c.stride || start >= size)) break;
    float best = -std::numeric_limits<float>::infinity();
    std::int64_t where = -1;
    double sum = 0.0;
    int inside = 0;
    int inside_padded = 0;
    for (std::int64_t k = 0; k < c.kernel; ++k) {
      const std::int64_t at = start + k * c.dilation;
      inside_padded += at < size + c.pad_end ? 1 : 0;
      if (at < 0 || at >= size) continue;
      const float value = x[static_cast<std::size_t>(at)];
      ++inside;
      sum += value;
      if (value > best) {
        best = value;
        where = at;
      }
    }
    result.maximum.push_back(best);
    result.index.push_back(where);
    result.mean.push_back(static_cast<float>(sum / inside));
    result.mean_padded.push_back(static_cast<float>(sum / inside_padded));
  }
  return result;
}

}  // namespace

TEST_CASE("pooling of rows is what its definition says, in one and in two dimensions") {
  for (const Case& c : {Case{3, 2, 1, 0, 0, 0}, Case{3, 2, 1, 0, 0, 1}, Case{2, 2, 1, 1, 0, 0}, Case{3, 1, 2, 2, 2, 0},
                        Case{5, 3, 1, 2, 1, 1}, Case{4, 4, 1, 0, 0, 1}, Case{13, 1, 1, 0, 0, 0}}) {
    INFO("kernel " << c.kernel << " stride " << c.stride << " dilation " << c.dilation << " ceil " << c.ceil);
    const auto list = [](std::int64_t a, std::int64_t b) { return std::to_string(a) + "," + std::to_string(b); };
    const auto attributes = [&](bool two, const std::string& rest) {
      const auto pair = [&](std::int64_t value) { return two ? list(1, value) : std::to_string(value); };
      return "{kernel_shape=[" + pair(c.kernel) + "], strides=[" + pair(c.stride) + "], dilations=[" +
             pair(c.dilation) + "], pads=[" +
             (two ? list(0, c.pad_begin) + "," + list(0, c.pad_end) : list(c.pad_begin, c.pad_end)) +
             "], ceil_mode=" + std::to_string(c.ceil) + rest + "} ";
    };
    for (const bool two : {false, true}) {
      const Tensor x = random_tensor(two ? Shape{1, 1, 1, 13} : Shape{1, 1, 13}, 5);
      const auto outputs =
          run_text("graph opset 19 { input x: f32 a, i = MaxPool(x) " + attributes(two, "") + "b = MaxPool(x) " +
                       attributes(two, "") + "c = AveragePool(x) " + attributes(two, "") + "d = AveragePool(x) " +
                       attributes(two, ", count_include_pad=1") + "output a output i output b output c output d }",
                   std::vector{x});
      const Pooled expected = reference(c, x.data<float>());
      CHECK(test::values<float>(outputs[0]) == expected.maximum);
      CHECK(test::values<std::int64_t>(outputs[1]) == expected.index);
      CHECK(test::values<float>(outputs[2]) == expected.maximum);
      for (std::size_t i = 0; i < expected.mean.size(); ++i) {
        CHECK(outputs[3].data<float>()[i] == Approx(expected.mean[i]).margin(1e-6));
        CHECK(outputs[4].data<float>()[i] == Approx(expected.mean_padded[i]).margin(1e-6));
      }
    }
  }
}

TEST_CASE("pooling in two dimensions is pooling of columns after pooling of rows") {
  const Tensor x = random_tensor({2, 3, 11, 9}, 6);
  const auto outputs = run_text(R"(graph opset 19 {
    input x: f32
    both = MaxPool(x) {kernel_shape=[3,2], strides=[2,1], pads=[1,0,1,1]}
    rows = MaxPool(x) {kernel_shape=[1,2], strides=[1,1], pads=[0,0,0,1]}
    then = MaxPool(rows) {kernel_shape=[3,1], strides=[2,1], pads=[1,0,1,0]}
    output both output then
  })",
                                std::vector{x});
  CHECK(outputs[0].shape() == outputs[1].shape());
  CHECK(test::values<float>(outputs[0]) == test::values<float>(outputs[1]));
}
