#include <catch2/catch.hpp>

#include "fixtures.h"

using namespace octavo;
using namespace octavo::test;

namespace {

Image resized(const Image& image, int width, int height, Interpolation interpolation) {
  CompletedPreprocess completed;
  completed.preprocess.resize = {width, height};
  completed.preprocess.interpolation = interpolation;
  completed.preprocess.layout = Layout::nhwc;
  completed.channels = image.channels;
  const Tensor tensor = preprocess_image(image, completed, DType::u8);
  const auto pixels = tensor.data<std::uint8_t>();
  return {width, height, image.channels, {pixels.begin(), pixels.end()}};
}

int largest_difference(const Image& image, const Tensor& expected) {
  const auto wanted = expected.data<std::uint8_t>();
  REQUIRE(wanted.size() == image.pixels.size());
  int largest = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::abs(int{wanted[i]} - int{image.pixels[i]}));
  }
  return largest;
}

// Largest difference from the golden result of `method`, whose name begins with `prefix`.
int difference(const Image& image, const std::string& prefix, std::string_view method, int width, int height) {
  const std::string name = prefix + std::string(method) + "_" + std::to_string(width) + "x" + std::to_string(height);
  const Tensor expected = read_npy(golden("resize/" + name + ".npy"));
  return largest_difference(resized(image, width, height, *interpolation_named(method)), expected);
}

constexpr std::pair<int, int> kSizes[] = {{16, 16}, {33, 11}, {13, 25}, {66, 50}, {9, 7}, {5, 30}, {30, 10}};
constexpr std::pair<int, int> kBlockSizes[] = {{16, 12}, {8, 6}};

}  // namespace

TEST_CASE("PIL's interpolations equal PIL to the bit") {
  const Image image = decode_image(golden("decode/rgb8.png"));
  for (const char* method : {"nearest", "bilinear", "bicubic"}) {
    for (const auto& [width, height] : kSizes) {
      INFO(method << " " << width << "x" << height);
      CHECK(difference(image, "", method, width, height) == 0);
    }
  }
  CHECK(difference(decode_image(golden("resize/tall.png")), "tall_", "bicubic", 5, 20) == 0);
}

TEST_CASE("OpenCV's nearest and area equal OpenCV, bilinear and bicubic are within 1") {
  const Image image = decode_image(golden("decode/rgb8.png"));
  const Image even = decode_image(golden("resize/even.png"));
  for (const char* method : {"opencv-nearest", "opencv-area", "opencv-bilinear", "opencv-bicubic"}) {
    const bool exact = std::string_view(method) == "opencv-nearest" || std::string_view(method) == "opencv-area";
    for (const auto& [width, height] : kSizes) {
      INFO(method << " " << width << "x" << height);
      CHECK(difference(image, "", method, width, height) <= (exact ? 0 : 1));
    }
    for (const auto& [width, height] : kBlockSizes) {
      INFO(method << " " << width << "x" << height);
      CHECK(difference(even, "even_", method, width, height) <= (exact ? 0 : 1));
    }
  }
}

TEST_CASE("a grey picture is resized as each channel of its colour twin") {
  const Image grey = decode_image(golden("decode/grey8.png"));
  Image colour{grey.width, grey.height, 3, {}};
  for (const std::uint8_t pixel : grey.pixels) colour.pixels.insert(colour.pixels.end(), 3, pixel);
  for (const std::string_view name : interpolation_names()) {
    for (const auto& [width, height] : kSizes) {
      INFO(name);
      const Image a = resized(grey, width, height, *interpolation_named(name));
      const Image b = resized(colour, width, height, *interpolation_named(name));
      for (std::size_t i = 0; i < a.pixels.size(); ++i) REQUIRE(a.pixels[i] == b.pixels[3 * i + 1]);
    }
  }
}

TEST_CASE("a constant picture stays constant, and the same size changes nothing") {
  const Image image = decode_image(golden("decode/rgb8.png"));
  const Image flat{7, 5, 1, std::vector<std::uint8_t>(35, 201)};
  for (const std::string_view name : interpolation_names()) {
    INFO(name);
    const Interpolation method = *interpolation_named(name);
    CHECK(resized(image, image.width, image.height, method).pixels == image.pixels);
    for (const auto& [width, height] : {std::pair(1, 1), {3, 9}, {40, 2}, {100, 100}}) {
      const Image out = resized(flat, width, height, method);
      CHECK(std::all_of(out.pixels.begin(), out.pixels.end(), [](std::uint8_t p) { return p == 201; }));
    }
    CHECK(name_of(method) == name);
  }
  CHECK_FALSE(interpolation_named("lanczos"));
}
