#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "decode.h"
#include "octavo/data.h"
#include "resize.h"

namespace octavo {
namespace {

using data::ImageView;

// ITU-R 601 in PIL's fixed point.
Image to_grey(const ImageView& in) {
  Image out = data::blank_image(in.width, in.height, 1);
  std::uint8_t* target = out.pixels.data();
  for (int y = 0; y < in.height; ++y) {
    const std::uint8_t* row = in.row(y);
    for (int x = 0; x < in.width; ++x, row += 3) {
      *target++ = static_cast<std::uint8_t>((row[0] * 19595 + row[1] * 38470 + row[2] * 7471 + 0x8000) >> 16);
    }
  }
  return out;
}

ImageView crop_square(const ImageView& in, double fraction) {
  const int side = std::max(1, static_cast<int>(std::min(in.width, in.height) * fraction));
  return in.cropped((in.width - side) / 2, (in.height - side) / 2, side, side);
}

// Python's int(round(x / 2.0)): halves go to the even side.
int half_to_even(int x) { return static_cast<int>(std::nearbyint(x / 2.0)); }

Image with_margins(const ImageView& in, int width, int height) {
  Image out = data::blank_image(width, height, in.channels);
  const std::size_t stride = ImageView(out).stride;
  const int left = (width - in.width) / 2;
  const int top = (height - in.height) / 2;
  for (int y = 0; y < in.height; ++y) {
    std::copy_n(in.row(y), static_cast<std::size_t>(in.width) * static_cast<std::size_t>(in.channels),
                out.pixels.data() + static_cast<std::size_t>(top + y) * stride +
                    static_cast<std::size_t>(left) * static_cast<std::size_t>(in.channels));
  }
  return out;
}

// torchvision's center_crop: first zeros around what is too small, then the middle of what is too large.
Image center_crop(const Image& in, int width, int height) {
  if (in.width < width || in.height < height) {
    return center_crop(with_margins(ImageView(in), std::max(in.width, width), std::max(in.height, height)), width,
                       height);
  }
  return data::copy_of(
      ImageView(in).cropped(half_to_even(in.width - width), half_to_even(in.height - height), width, height));
}

std::pair<int, int> short_side_size(const ImageView& in, int side) {
  const std::int64_t shorter = std::min(in.width, in.height);
  const std::int64_t longer = std::max(in.width, in.height);
  const std::int64_t other = side * longer / shorter;
  data::check_size("resize_short", static_cast<std::uint64_t>(side), static_cast<std::uint64_t>(other));
  const int long_side = static_cast<int>(other);
  return in.width <= in.height ? std::pair(side, long_side) : std::pair(long_side, side);
}

Image apply_geometry(const Image& image, const CompletedPreprocess& completed) {
  const Preprocess& preprocess = completed.preprocess;
  const bool grey = completed.channels == 1 && image.channels == 3;
  const Image converted = grey ? to_grey(ImageView(image)) : Image{};
  ImageView view(grey ? converted : image);
  if (preprocess.crop_fraction) view = crop_square(view, *preprocess.crop_fraction);
  std::pair<int, int> size(view.width, view.height);
  if (preprocess.resize) size = *preprocess.resize;
  if (preprocess.resize_short) size = short_side_size(view, *preprocess.resize_short);
  Image scaled = data::resize(view, size.first, size.second, preprocess.interpolation);
  const auto& crop = preprocess.center_crop;
  if (!crop || (crop->first == scaled.width && crop->second == scaled.height)) return scaled;
  return center_crop(scaled, crop->first, crop->second);
}

float value_for(const std::vector<double>& values, int channel, float otherwise) {
  if (values.empty()) return otherwise;
  return static_cast<float>(values.size() == 1 ? values[0] : values[static_cast<std::size_t>(channel)]);
}

// What each of the 256 pixel values becomes in one channel. Every step is rounded to f32, as NumPy and PyTorch
// users' own code does.
std::array<float, 256> normalized_levels(const Preprocess& preprocess, int channel) {
  const float mean = value_for(preprocess.mean, channel, 0.0F);
  const float scale = value_for(preprocess.scale, channel, 1.0F);
  const float deviation = value_for(preprocess.std, channel, 1.0F);
  const auto low = static_cast<float>(preprocess.pixel_range.first);
  const auto width = static_cast<float>(preprocess.pixel_range.second - preprocess.pixel_range.first);
  std::array<float, 256> levels{};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    float x = static_cast<float>(i);
    if (preprocess.pixel_range != std::pair(0.0, 255.0)) x = x / 255.0F * width + low;
    levels[i] = (x - mean) * scale / deviation;
  }
  return levels;
}

template <typename T>
T to_element(float x) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(x);
  } else {
    const double rounded = std::nearbyint(static_cast<double>(x));
    // The largest 64-bit integers are no doubles: compare with the power of two above.
    if (rounded >= std::ldexp(1.0, std::numeric_limits<T>::digits)) return std::numeric_limits<T>::max();
    if (rounded <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    return static_cast<T>(rounded);
  }
}

template <typename T>
void fill_channel(const Image& image, int source, const std::array<T, 256>& levels, T* out, std::size_t step) {
  const auto stride = static_cast<std::size_t>(image.channels);
  const std::size_t count = image.pixels.size() / stride;
  const std::uint8_t* pixel = image.pixels.data() + source;
  for (std::size_t i = 0; i < count; ++i) out[i * step] = levels[pixel[i * stride]];
}

template <typename T>
Tensor to_tensor(const Image& image, const CompletedPreprocess& completed) {
  const bool channels_first = completed.preprocess.layout.value_or(Layout::nchw) == Layout::nchw;
  const std::int64_t channels = completed.channels;
  Shape shape = {1, channels, image.height, image.width};
  if (!channels_first) shape = {1, image.height, image.width, channels};
  Tensor tensor(dtype_of<T>, shape, true);
  T* const out = tensor.mutable_data<T>().data();
  const std::size_t pixels = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  for (int c = 0; c < completed.channels; ++c) {
    const std::array<float, 256> levels = normalized_levels(completed.preprocess, c);
    std::array<T, 256> elements{};
    std::transform(levels.begin(), levels.end(), elements.begin(), to_element<T>);
    const bool reversed = completed.preprocess.order == ChannelOrder::bgr;
    const int source = image.channels == 1 ? 0 : reversed ? 2 - c : c;
    const auto channel = static_cast<std::size_t>(c);
    fill_channel(image, source, elements, channels_first ? out + channel * pixels : out + channel,
                 channels_first ? std::size_t{1} : static_cast<std::size_t>(completed.channels));
  }
  return tensor;
}

void check_image(const Image& image) {
  const bool sizes = image.width > 0 && image.height > 0 && (image.channels == 1 || image.channels == 3);
  if (!sizes || image.pixels.size() != static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) *
                                           static_cast<std::size_t>(image.channels)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a picture of {} x {} pixels, {} channels and {} bytes: expected 1 or 3 channels and as "
                            "many bytes as these make",
                            image.width, image.height, image.channels, image.pixels.size()));
  }
}

}  // namespace

Tensor preprocess_image(const Image& image, const CompletedPreprocess& preprocess, DType dtype) {
  check_image(image);
  const Image sized = apply_geometry(image, preprocess);
  switch (dtype) {
    case DType::f32:
      return to_tensor<float>(sized, preprocess);
    case DType::f64:
      return to_tensor<double>(sized, preprocess);
    case DType::u8:
      return to_tensor<std::uint8_t>(sized, preprocess);
    case DType::i8:
      return to_tensor<std::int8_t>(sized, preprocess);
    case DType::i32:
      return to_tensor<std::int32_t>(sized, preprocess);
    case DType::i64:
      return to_tensor<std::int64_t>(sized, preprocess);
    default:
      throw Error(
          ErrorCode::unsupported,
          fmt::format("pictures for an input of type {}: expected f32, f64, u8, i8, i32 or i64", name_of(dtype)));
  }
}

}  // namespace octavo
