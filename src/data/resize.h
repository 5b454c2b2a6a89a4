#pragma once

#include <cstddef>
#include <cstdint>

#include "octavo/data.h"

namespace octavo::data {

/// A rectangle of a picture: `stride` bytes from row to row, `channels` 1 or 3, interleaved.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
  int channels = 0;
  std::size_t stride = 0;

  ImageView() = default;
  explicit ImageView(const Image& image);
  const std::uint8_t* row(int y) const { return pixels + static_cast<std::size_t>(y) * stride; }
  /// The part at (left, top), which must lie within.
  ImageView cropped(int left, int top, int new_width, int new_height) const;
};

/// A zeroed picture of the given size.
Image blank_image(int width, int height, int channels);
Image copy_of(const ImageView& in);

/// `in` scaled to width x height; pixels outside of `in` have no say. A picture of this size already is
/// returned as it is.
Image resize(const ImageView& in, int width, int height, Interpolation interpolation);

/// The two filters of Pillow's Resample.c, to the bit.
Image resize_pil_bilinear(const ImageView& in, int width, int height);
Image resize_pil_bicubic(const ImageView& in, int width, int height);
/// Those of OpenCV's resize.cpp for 8 bits.
Image resize_opencv_bilinear(const ImageView& in, int width, int height);
Image resize_opencv_bicubic(const ImageView& in, int width, int height);
Image resize_opencv_area(const ImageView& in, int width, int height);
/// Both libraries pick a pixel; they differ in where they look.
Image resize_pil_nearest(const ImageView& in, int width, int height);
Image resize_opencv_nearest(const ImageView& in, int width, int height);

}  // namespace octavo::data
