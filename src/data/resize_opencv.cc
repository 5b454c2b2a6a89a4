// OpenCV's cv::resize for 8 bits, as modules/imgproc/src/resize.cpp computes it without its vendor libraries:
// weights of 11 bits for the linear and cubic methods, float sums for areas.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "resize.h"

namespace octavo::data {
namespace {

constexpr int kCoefBits = 11;
constexpr float kCoefScale = 1 << kCoefBits;

std::uint8_t clip(long value) { return static_cast<std::uint8_t>(std::clamp(value, 0L, 255L)); }

// Two or four inputs and their weights for one output position; indices stay within the picture.
template <std::size_t kTaps>
struct Tap {
  std::array<int, kTaps> index{};
  std::array<std::int32_t, kTaps> weight{};
};

std::int32_t to_fixed(float weight) { return static_cast<std::int32_t>(std::lrint(weight * kCoefScale)); }

std::array<float, 2> linear_weights(float x) { return {1.0F - x, x}; }

// Keys' cubic convolution with a = -0.75.
std::array<float, 4> cubic_weights(float x) {
  constexpr float a = -0.75F;
  std::array<float, 4> w{};
  w[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  w[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
  w[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
  w[3] = 1.0F - w[0] - w[1] - w[2];
  return w;
}

struct Position {
  int index = 0;
  float fraction = 0.0F;
};

Position center_position(int i, double scale) {
  const auto at = static_cast<float>((i + 0.5) * scale - 0.5);
  const float floor = std::floor(at);
  return {static_cast<int>(floor), at - floor};
}

// INTER_AREA enlarges with linear weights of its own.
Position area_position(int i, double scale, double inverse_scale) {
  const auto index = static_cast<int>(std::floor(i * scale));
  const auto fraction = static_cast<float>((i + 1) - (index + 1) * inverse_scale);
  return {index, fraction <= 0 ? 0.0F : fraction - std::floor(fraction)};
}

template <std::size_t kTaps>
std::vector<Tap<kTaps>> make_taps(int in, int out, bool area) {
  const double inverse_scale = static_cast<double>(out) / in;
  const double scale = 1.0 / inverse_scale;
  std::vector<Tap<kTaps>> taps(static_cast<std::size_t>(out));
  for (int i = 0; i < out; ++i) {
    const Position at = area ? area_position(i, scale, inverse_scale) : center_position(i, scale);
    std::array<float, kTaps> weights{};
    if constexpr (kTaps == 2) {
      weights = linear_weights(at.fraction);
    } else {
      weights = cubic_weights(at.fraction);
    }
    Tap<kTaps>& tap = taps[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < kTaps; ++k) {
      tap.index[k] = std::clamp(at.index + static_cast<int>(k) - (static_cast<int>(kTaps) / 2 - 1), 0, in - 1);
      tap.weight[k] = to_fixed(weights[k]);
    }
  }
  return taps;
}

// One row of the picture scaled to the new width, kCoefBits after the point.
template <std::size_t kTaps>
void scale_row(const std::uint8_t* row, int channels, const std::vector<Tap<kTaps>>& columns, std::int32_t* out) {
  for (const Tap<kTaps>& tap : columns) {
    for (int c = 0; c < channels; ++c) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < kTaps; ++k) sum += row[tap.index[k] * channels + c] * tap.weight[k];
      *out++ = sum;
    }
  }
}

// The linear one drops 4 + 16 + 2 bits one after the other, as its 16-bit multiplications do.
std::uint8_t blend(const std::array<std::int32_t, 2>& s, const std::array<std::int32_t, 2>& w) {
  return clip((((w[0] * (s[0] >> 4)) >> 16) + ((w[1] * (s[1] >> 4)) >> 16) + 2) >> 2);
}

std::uint8_t blend(const std::array<std::int32_t, 4>& s, const std::array<std::int32_t, 4>& w) {
  std::int64_t sum = std::int64_t{1} << (2 * kCoefBits - 1);
  for (std::size_t k = 0; k < 4; ++k) sum += std::int64_t{s[k]} * w[k];
  return clip(static_cast<long>(sum >> (2 * kCoefBits)));
}

template <std::size_t kTaps>
Image interpolate(const ImageView& in, int width, int height, bool area) {
  const std::vector<Tap<kTaps>> columns = make_taps<kTaps>(in.width, width, area);
  Image out = blank_image(width, height, in.channels);
  const std::size_t length = ImageView(out).stride;
  // Scaled rows in a ring: those that one output row reads are neighbours.
  std::array<std::vector<std::int32_t>, kTaps> ring;
  std::array<int, kTaps> held;
  held.fill(-1);
  for (auto& row : ring) row.resize(length);
  std::uint8_t* target = out.pixels.data();
  for (const Tap<kTaps>& tap : make_taps<kTaps>(in.height, height, area)) {
    std::array<const std::int32_t*, kTaps> rows{};
    for (std::size_t k = 0; k < kTaps; ++k) {
      const std::size_t slot = static_cast<std::size_t>(tap.index[k]) % kTaps;
      if (held[slot] != tap.index[k]) scale_row(in.row(tap.index[k]), in.channels, columns, ring[slot].data());
      held[slot] = tap.index[k];
      rows[k] = ring[slot].data();
    }
    for (std::size_t i = 0; i < length; ++i) {
      std::array<std::int32_t, kTaps> s;
      for (std::size_t k = 0; k < kTaps; ++k) s[k] = rows[k][i];
      *target++ = blend(s, tap.weight);
    }
  }
  return out;
}

// One input that an output cell covers, with its share of the cell.
struct Part {
  int in = 0;
  int out = 0;
  float share = 0.0F;
};

std::vector<Part> make_parts(int in, int out) {
  const double scale = 1.0 / (static_cast<double>(out) / in);
  std::vector<Part> parts;
  for (int i = 0; i < out; ++i) {
    const double begin = i * scale;
    const double end = begin + scale;
    const double cell = std::min(scale, in - begin);
    const int last = std::min(static_cast<int>(std::floor(end)), in - 1);
    const int first = std::min(static_cast<int>(std::ceil(begin)), last);
    if (first - begin > 1e-3) parts.push_back({first - 1, i, static_cast<float>((first - begin) / cell)});
    for (int x = first; x < last; ++x) parts.push_back({x, i, static_cast<float>(1.0 / cell)});
    if (end - last > 1e-3) {
      parts.push_back({last, i, static_cast<float>(std::min(std::min(end - last, 1.0), cell) / cell)});
    }
  }
  return parts;
}

Image average_cells(const ImageView& in, int width, int height) {
  const std::vector<Part> columns = make_parts(in.width, width);
  Image out = blank_image(width, height, in.channels);
  const std::size_t length = ImageView(out).stride;
  std::vector<float> row(length);
  std::vector<float> sums(length);
  std::uint8_t* target = out.pixels.data();
  int current = 0;
  const auto store = [&] {
    for (std::size_t i = 0; i < length; ++i) *target++ = clip(std::lrint(sums[i]));
    std::fill(sums.begin(), sums.end(), 0.0F);
  };
  for (const Part& part : make_parts(in.height, height)) {
    if (part.out != current) store();
    current = part.out;
    std::fill(row.begin(), row.end(), 0.0F);
    const std::uint8_t* const source = in.row(part.in);
    for (const Part& column : columns) {
      for (int c = 0; c < in.channels; ++c) {
        row[static_cast<std::size_t>(column.out * in.channels + c)] +=
            source[column.in * in.channels + c] * column.share;
      }
    }
    for (std::size_t i = 0; i < length; ++i) sums[i] += row[i] * part.share;
  }
  store();
  return out;
}

// Cells of whole pixels: integer sums, one rounding.
Image average_blocks(const ImageView& in, int width, int height) {
  const int block_width = in.width / width;
  const int block_height = in.height / height;
  const std::int64_t area = std::int64_t{block_width} * block_height;
  const float inverse = 1.0F / static_cast<float>(area);
  Image out = blank_image(width, height, in.channels);
  std::uint8_t* target = out.pixels.data();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < in.channels; ++c) {
        std::int64_t sum = 0;
        for (int dy = 0; dy < block_height; ++dy) {
          const std::uint8_t* const row = in.row(y * block_height + dy);
          for (int dx = 0; dx < block_width; ++dx) sum += row[(x * block_width + dx) * in.channels + c];
        }
        const bool halves = block_width == 2 && block_height == 2;
        *target++ = clip(halves ? static_cast<long>((sum + 2) >> 2) : std::lrint(static_cast<float>(sum) * inverse));
      }
    }
  }
  return out;
}

}  // namespace

Image resize_opencv_area(const ImageView& in, int width, int height) {
  if (width > in.width || height > in.height) return interpolate<2>(in, width, height, true);
  if (in.width % width == 0 && in.height % height == 0) return average_blocks(in, width, height);
  return average_cells(in, width, height);
}

Image resize_opencv_bilinear(const ImageView& in, int width, int height) {
  // OpenCV's rule for exact halves: the mean of four is what linear weights would give, and faster.
  if (in.width == 2 * width && in.height == 2 * height) return average_blocks(in, width, height);
  return interpolate<2>(in, width, height, false);
}

Image resize_opencv_bicubic(const ImageView& in, int width, int height) {
  return interpolate<4>(in, width, height, false);
}

}  // namespace octavo::data
