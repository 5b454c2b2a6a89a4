// Separable resampling as Pillow's libImaging/Resample.c defines it: rows, then columns, weights in fixed point,
// the picture between both passes rounded to 8 bits. Checked against Pillow 13.0.0 to the bit.

#include <algorithm>
#include <cmath>
#include <span>

#include "resize.h"

namespace octavo::data {
namespace {

// 8 bits for the result and two for weights that overshoot leave 22 of 32.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

struct Filter {
  double (*weight)(double distance);
  double support;
};

double triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

// Keys' cubic convolution with a = -0.5.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// What one output position reads: `weights` for the inputs from `first` on.
struct Tap {
  int first = 0;
  std::span<const std::int32_t> weights;
};

struct Taps {
  std::vector<std::int32_t> weights;
  std::vector<Tap> taps;
};

std::int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kPrecisionBits);
  return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

Taps make_taps(int in, int out, const Filter& filter) {
  // Pillow keeps the edges in float, exact below 2^24.
  const double scale = static_cast<double>(static_cast<float>(in)) / out;
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter.support * filter_scale;
  const double inverse = 1.0 / filter_scale;
  const auto most = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  Taps result;
  result.weights.resize(most * static_cast<std::size_t>(out));
  result.taps.resize(static_cast<std::size_t>(out));
  std::vector<double> exact(most);
  for (std::size_t i = 0; i < result.taps.size(); ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), in) - first;
    double sum = 0.0;
    for (int x = 0; x < count; ++x) {
      exact[static_cast<std::size_t>(x)] = filter.weight((x + first - center + 0.5) * inverse);
      sum += exact[static_cast<std::size_t>(x)];
    }
    std::int32_t* const weights = result.weights.data() + i * most;
    for (int x = 0; x < count; ++x) {
      const double weight = exact[static_cast<std::size_t>(x)];
      weights[x] = to_fixed(sum != 0.0 ? weight / sum : weight);
    }
    result.taps[i] = {first, {weights, static_cast<std::size_t>(count)}};
  }
  return result;
}

std::uint8_t clip(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, std::int32_t{0}, std::int32_t{255}));
}

template <int kChannels>
Image resize_rows(const ImageView& in, int width, const Filter& filter) {
  const Taps taps = make_taps(in.width, width, filter);
  Image out = blank_image(width, in.height, kChannels);
  std::uint8_t* target = out.pixels.data();
  for (int y = 0; y < in.height; ++y) {
    const std::uint8_t* const row = in.row(y);
    for (const Tap& tap : taps.taps) {
      std::int32_t sums[kChannels];
      std::fill_n(sums, kChannels, kHalf);
      const std::uint8_t* source = row + static_cast<std::ptrdiff_t>(tap.first) * kChannels;
      for (const std::int32_t weight : tap.weights) {
        for (int c = 0; c < kChannels; ++c) sums[c] += source[c] * weight;
        source += kChannels;
      }
      for (int c = 0; c < kChannels; ++c) *target++ = clip(sums[c]);
    }
  }
  return out;
}

Image resize_columns(const ImageView& in, int height, const Filter& filter) {
  const Taps taps = make_taps(in.height, height, filter);
  Image out = blank_image(in.width, height, in.channels);
  const std::size_t length = ImageView(out).stride;
  std::vector<std::int32_t> sums(length);
  std::uint8_t* target = out.pixels.data();
  for (const Tap& tap : taps.taps) {
    std::fill(sums.begin(), sums.end(), kHalf);
    int y = tap.first;
    for (const std::int32_t weight : tap.weights) {
      const std::uint8_t* const row = in.row(y++);
      for (std::size_t i = 0; i < length; ++i) sums[i] += row[i] * weight;
    }
    for (std::size_t i = 0; i < length; ++i) target[i] = clip(sums[i]);
    target += length;
  }
  return out;
}

Image resize_rows(const ImageView& in, int width, const Filter& filter) {
  if (in.width == width) return copy_of(in);
  return in.channels == 1 ? resize_rows<1>(in, width, filter) : resize_rows<3>(in, width, filter);
}

Image resample(const ImageView& in, int width, int height, const Filter& filter) {
  // Pillow 13 shrinks the columns first where their number changes more than twice as much; releases before it
  // never did, and a pixel in five or so is then another by one level.
  const bool columns_first = in.height > height && in.height - height > 2 * (in.width - width);
  if (columns_first) {
    const Image columns = resize_columns(in, height, filter);
    return resize_rows(ImageView(columns), width, filter);
  }
  Image rows = resize_rows(in, width, filter);
  return in.height == height ? rows : resize_columns(ImageView(rows), height, filter);
}

}  // namespace

Image resize_pil_bilinear(const ImageView& in, int width, int height) {
  return resample(in, width, height, {triangle, 1.0});
}

Image resize_pil_bicubic(const ImageView& in, int width, int height) {
  return resample(in, width, height, {cubic, 2.0});
}

}  // namespace octavo::data
