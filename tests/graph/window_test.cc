#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "octavo/graph.h"

namespace octavo {
namespace {

using Sizes = std::vector<std::int64_t>;

void set(Node& node, const std::string& key, Attribute value) {
  node.attributes.insert_or_assign(key, std::move(value));
}

Node pooling(Sizes strides, Sizes dilations, Sizes pads, std::int64_t ceil_mode) {
  Node node;
  node.op_type = "MaxPool";
  node.attributes = {{"strides", std::move(strides)},
                     {"dilations", std::move(dilations)},
                     {"pads", std::move(pads)},
                     {"ceil_mode", ceil_mode}};
  return node;
}

// Slides the window step by step: it may not pass the padding's end, or with ceil_mode only has to start before
// both the padding at the end and what lies behind it, and at least one element short of a whole stride further.
std::int64_t slide(std::int64_t input, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                   std::int64_t begin, std::int64_t end, bool ceil_mode) {
  const std::int64_t extent = (kernel - 1) * dilation + 1;
  std::int64_t places = 0;
  for (std::int64_t start = -begin;; start += stride) {
    const std::int64_t beyond = start + extent - (input + end);
    if (beyond > 0 && (!ceil_mode || beyond >= stride || start >= input)) return places;
    ++places;
  }
}

TEST_CASE("windows are as many as sliding gives") {
  std::size_t refused = 0;
  for (std::int64_t input = 1; input < 12; ++input) {
    for (std::int64_t kernel = 1; kernel < 5; ++kernel) {
      for (std::int64_t stride = 1; stride < 5; ++stride) {
        for (std::int64_t dilation = 1; dilation < 4; ++dilation) {
          for (std::int64_t begin = 0; begin < kernel; ++begin) {
            for (std::int64_t end = 0; end < kernel; ++end) {
              for (const bool ceil_mode : {false, true}) {
                const Node node = pooling({stride}, {dilation}, {begin, end}, ceil_mode ? 1 : 0);
                const std::int64_t expected = slide(input, kernel, stride, dilation, begin, end, ceil_mode);
                CAPTURE(input, kernel, stride, dilation, begin, end, ceil_mode);
                if (expected == 0) {
                  REQUIRE_THROWS_AS(window_geometry(node, Sizes{kernel}, Sizes{input}), Error);
                  ++refused;
                  continue;
                }
                const Window window = window_geometry(node, Sizes{kernel}, Sizes{input})[0];
                REQUIRE(window.output == expected);
                REQUIRE(window.pad_begin == begin);
                REQUIRE(window.pad_end == end);
              }
            }
          }
        }
      }
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("auto_pad keeps ceil(input / stride) and divides the padding") {
  for (std::int64_t input = 1; input < 12; ++input) {
    for (std::int64_t kernel = 1; kernel < 6; ++kernel) {
      for (std::int64_t stride = 1; stride < 4; ++stride) {
        Node node;
        node.op_type = "Conv";
        node.attributes = {{"strides", Sizes{stride}}, {"auto_pad", std::string("SAME_UPPER")}};
        const Window upper = window_geometry(node, Sizes{kernel}, Sizes{input})[0];
        set(node, "auto_pad", std::string("SAME_LOWER"));
        const Window lower = window_geometry(node, Sizes{kernel}, Sizes{input})[0];
        CAPTURE(input, kernel, stride);
        REQUIRE(upper.output == (input + stride - 1) / stride);
        REQUIRE(lower.output == upper.output);
        REQUIRE(upper.pad_begin == lower.pad_end);
        REQUIRE(upper.pad_end == lower.pad_begin);
        REQUIRE((upper.pad_end - upper.pad_begin == 0 || upper.pad_end - upper.pad_begin == 1));
        if (kernel >= stride) {
          REQUIRE(slide(input, kernel, stride, 1, upper.pad_begin, upper.pad_end, false) == upper.output);
        }
      }
    }
  }
}

// Seen with ONNX Runtime: MaxPool of 1 … 6 with these attributes gives [3, 5, 6].
TEST_CASE("ceil_mode also holds under auto_pad VALID") {
  Node node = pooling({2}, {1}, {0, 0}, 1);
  set(node, "auto_pad", std::string("VALID"));
  CHECK(window_geometry(node, Sizes{3}, Sizes{6})[0].output == 3);
}

TEST_CASE("a transposed window reaches what its convolution read") {
  for (std::int64_t input = 1; input < 8; ++input) {
    for (std::int64_t kernel = 1; kernel < 5; ++kernel) {
      for (std::int64_t stride = 1; stride < 4; ++stride) {
        for (std::int64_t dilation = 1; dilation < 3; ++dilation) {
          Node node;
          node.op_type = "ConvTranspose";
          node.attributes = {{"strides", Sizes{stride}}, {"dilations", Sizes{dilation}}};
          const Window window = transposed_window_geometry(node, Sizes{kernel}, Sizes{input})[0];
          std::int64_t reached = 0;
          for (std::int64_t i = 0; i < input; ++i) {
            for (std::int64_t k = 0; k < kernel; ++k) reached = std::max(reached, i * stride + k * dilation + 1);
          }
          REQUIRE(window.output == reached);
        }
      }
    }
  }
}

// Outputs of ONNX Runtime for an input of 3, a kernel of 4 and stride 1, by which elements of the full six are kept.
TEST_CASE("transposed padding is divided as ONNX Runtime does") {
  struct Case {
    std::string auto_pad;
    std::int64_t output_shape, begin, output;
  };
  for (const Case& c :
       {Case{"SAME_UPPER", 0, 1, 3}, Case{"SAME_LOWER", 0, 2, 3}, Case{"NOTSET", 0, 0, 6}, Case{"SAME_UPPER", 5, 0, 5},
        Case{"SAME_LOWER", 5, 1, 5}, Case{"NOTSET", 5, 1, 5}, Case{"VALID", 5, 1, 5}}) {
    Node node;
    node.op_type = "ConvTranspose";
    set(node, "auto_pad", c.auto_pad);
    if (c.output_shape > 0) set(node, "output_shape", Sizes{c.output_shape});
    const Window window = transposed_window_geometry(node, Sizes{4}, Sizes{3})[0];
    CAPTURE(c.auto_pad, c.output_shape);
    CHECK(window.pad_begin == c.begin);
    CHECK(window.output == c.output);
    CHECK(window.pad_begin + window.output + window.pad_end == 6);
  }
}

TEST_CASE("hostile windows are refused") {
  const std::int64_t huge = 9223372036854775807;
  const auto refused = [](const Node& node, const Sizes& kernel, const Sizes& input) {
    CHECK_THROWS_AS(window_geometry(node, kernel, input), Error);
    CHECK_THROWS_AS(transposed_window_geometry(node, kernel, input), Error);
  };
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, huge, -huge - 1}) {
    refused(pooling({bad}, {1}, {0, 0}, 0), {1}, {4});
    refused(pooling({1}, {bad}, {0, 0}, 0), {1}, {4});
    refused(pooling({1}, {1}, {0, 0}, 0), {bad}, {4});
    if (bad != 0) refused(pooling({1}, {1}, {bad, 0}, 0), {1}, {4});
    if (bad != 0) refused(pooling({1}, {1}, {0, 0}, 0), {1}, {bad});
  }
  refused(pooling({1, 1}, {1}, {0, 0}, 0), {1}, {4});
  refused(pooling({1}, {1}, {0}, 0), {1}, {4});
  refused(pooling({1}, {1}, {0, 0}, 0), {1, 1}, {4});
  Node node = pooling({1}, {1}, {1, 0}, 0);
  set(node, "auto_pad", std::string("SAME_UPPER"));
  refused(node, {2}, {4});
  set(node, "auto_pad", std::string("SAME"));
  refused(node, {2}, {4});
  node = pooling({1}, {1}, {0, 0}, 0);
  set(node, "kernel_shape", Sizes{3});
  refused(node, {2}, {4});
}

}  // namespace
}  // namespace octavo
