#include "resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace octavo {
namespace data {
namespace {

struct Method {
  Interpolation interpolation;
  std::string_view name;
  Image (*resize)(const ImageView& in, int width, int height);
};

constexpr Method kMethods[] = {
    {Interpolation::nearest, "nearest", resize_pil_nearest},
    {Interpolation::bilinear, "bilinear", resize_pil_bilinear},
    {Interpolation::bicubic, "bicubic", resize_pil_bicubic},
    {Interpolation::opencv_nearest, "opencv-nearest", resize_opencv_nearest},
    {Interpolation::opencv_bilinear, "opencv-bilinear", resize_opencv_bilinear},
    {Interpolation::opencv_bicubic, "opencv-bicubic", resize_opencv_bicubic},
    {Interpolation::opencv_area, "opencv-area", resize_opencv_area},
};

// PIL adds the step up, where OpenCV multiplies: their sums round differently.
std::vector<int> pil_positions(int in, int out) {
  std::vector<int> positions(static_cast<std::size_t>(out));
  const double step = static_cast<double>(in) / out;
  double at = step * 0.5;
  for (int& position : positions) {
    position = std::min(static_cast<int>(at), in - 1);
    at += step;
  }
  return positions;
}

std::vector<int> opencv_positions(int in, int out) {
  std::vector<int> positions(static_cast<std::size_t>(out));
  const double step = 1.0 / (static_cast<double>(out) / in);
  for (int i = 0; i < out; ++i) {
    positions[static_cast<std::size_t>(i)] = std::min(static_cast<int>(std::floor(i * step)), in - 1);
  }
  return positions;
}

Image pick(const ImageView& in, const std::vector<int>& columns, const std::vector<int>& rows) {
  Image out = blank_image(static_cast<int>(columns.size()), static_cast<int>(rows.size()), in.channels);
  const auto channels = static_cast<std::size_t>(in.channels);
  std::uint8_t* target = out.pixels.data();
  for (const int row : rows) {
    const std::uint8_t* const source = in.row(row);
    for (const int column : columns) {
      std::memcpy(target, source + static_cast<std::size_t>(column) * channels, channels);
      target += channels;
    }
  }
  return out;
}

}  // namespace

ImageView::ImageView(const Image& image)
    : pixels(image.pixels.data()),
      width(image.width),
      height(image.height),
      channels(image.channels),
      stride(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels)) {}

ImageView ImageView::cropped(int left, int top, int new_width, int new_height) const {
  ImageView view = *this;
  view.pixels = row(top) + static_cast<std::size_t>(left) * static_cast<std::size_t>(channels);
  view.width = new_width;
  view.height = new_height;
  return view;
}

Image blank_image(int width, int height, int channels) {
  Image image{width, height, channels, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                      static_cast<std::size_t>(channels));
  return image;
}

Image copy_of(const ImageView& in) {
  Image out = blank_image(in.width, in.height, in.channels);
  const std::size_t row_bytes = ImageView(out).stride;
  for (int y = 0; y < in.height; ++y) {
    std::memcpy(out.pixels.data() + static_cast<std::size_t>(y) * row_bytes, in.row(y), row_bytes);
  }
  return out;
}

Image resize_pil_nearest(const ImageView& in, int width, int height) {
  return pick(in, pil_positions(in.width, width), pil_positions(in.height, height));
}

Image resize_opencv_nearest(const ImageView& in, int width, int height) {
  return pick(in, opencv_positions(in.width, width), opencv_positions(in.height, height));
}

Image resize(const ImageView& in, int width, int height, Interpolation interpolation) {
  if (in.width == width && in.height == height) return copy_of(in);
  for (const Method& method : kMethods) {
    if (method.interpolation == interpolation) return method.resize(in, width, height);
  }
  throw Error(ErrorCode::internal, "an interpolation that is not in the table");
}

}  // namespace data

std::optional<Interpolation> interpolation_named(std::string_view name) {
  for (const data::Method& method : data::kMethods) {
    if (method.name == name) return method.interpolation;
  }
  return std::nullopt;
}

std::string_view name_of(Interpolation interpolation) {
  for (const data::Method& method : data::kMethods) {
    if (method.interpolation == interpolation) return method.name;
  }
  return "unknown";
}

std::vector<std::string_view> interpolation_names() {
  std::vector<std::string_view> names;
  for (const data::Method& method : data::kMethods) names.push_back(method.name);
  return names;
}

}  // namespace octavo
