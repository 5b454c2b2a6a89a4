#include "confusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "octavo/error.h"

namespace octavo::verify {
namespace {

/// More classes than any data set has; what is above is no class but an error.
constexpr std::int64_t kMostClasses = std::int64_t{1} << 16;

[[noreturn]] void fail(ErrorCode code, const std::filesystem::path& file, const std::string& problem) {
  throw Error(code, fmt::format("mask '{}': {}", file.string(), problem));
}

std::string size_text(std::int64_t width, std::int64_t height) { return fmt::format("{}x{}", width, height); }

Mask mask_of_npy(const std::filesystem::path& path) {
  const Tensor tensor = read_npy(path);
  Mask mask;
  const std::size_t rank = tensor.rank();
  for (std::size_t d = 0; d + 2 < rank; ++d) {
    if (tensor.dim(d) != 1) fail(ErrorCode::bad_data, path, "expected one number a pixel, [H, W]");
  }
  if (rank < 2) fail(ErrorCode::bad_data, path, "expected one number a pixel, [H, W]");
  mask.height = tensor.dim(rank - 2);
  mask.width = tensor.dim(rank - 1);
  const auto take = [&]<typename T>(T) {
    for (const T value : tensor.data<T>()) mask.classes.push_back(static_cast<std::int64_t>(value));
  };
  switch (tensor.dtype()) {
    case DType::u8:
      take(std::uint8_t{});
      break;
    case DType::i8:
      take(std::int8_t{});
      break;
    case DType::i32:
      take(std::int32_t{});
      break;
    case DType::i64:
      take(std::int64_t{});
      break;
    default:
      fail(ErrorCode::bad_data, path, fmt::format("holds {}, expected u8, i8, i32 or i64", name_of(tensor.dtype())));
  }
  return mask;
}

Mask mask_of_picture(const std::filesystem::path& path) {
  const Image image = decode_image(path);
  Mask mask;
  mask.height = image.height;
  mask.width = image.width;
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < image.pixels.size(); i += channels) {
    for (std::size_t c = 1; c < channels; ++c) {
      if (image.pixels[i + c] == image.pixels[i]) continue;
      fail(ErrorCode::bad_data, path, "is in colour; expected a grey picture whose levels are classes, or an .npy");
    }
    mask.classes.push_back(image.pixels[i]);
  }
  return mask;
}

/// Which class every pixel gets.
std::vector<std::int64_t> best_classes(std::span<const float> scores, std::int64_t classes, std::size_t pixels) {
  std::vector<std::int64_t> best(pixels, 0);
  std::vector<float> highest(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(pixels));
  for (std::int64_t c = 1; c < classes; ++c) {
    const float* plane = scores.data() + static_cast<std::size_t>(c) * pixels;
    for (std::size_t i = 0; i < pixels; ++i) {
      // NaN is below every number.
      if (!(plane[i] > highest[i]) && !(std::isnan(highest[i]) && !std::isnan(plane[i]))) continue;
      highest[i] = plane[i];
      best[i] = c;
    }
  }
  return best;
}

std::vector<std::int64_t> integers_of(const TensorView& output) {
  std::vector<std::int64_t> classes;
  const auto take = [&]<typename T>(T) {
    for (const T value : output.data<T>()) classes.push_back(static_cast<std::int64_t>(value));
  };
  if (output.dtype() == DType::i64) take(std::int64_t{});
  if (output.dtype() == DType::i32) take(std::int32_t{});
  if (output.dtype() == DType::u8) take(std::uint8_t{});
  return classes;
}

}  // namespace

Mask read_mask(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending == ".npy" ? mask_of_npy(path) : mask_of_picture(path);
}

void Confusion::add(const Mask& mask, const TensorView& output, const MaskOptions& options,
                    const std::filesystem::path& file) {
  const std::size_t rank = output.rank();
  const bool scores = output.dtype() == DType::f32 && rank == 4 && output.dim(0) == 1 && output.dim(1) > 1;
  const bool one_plane = (rank == 3 || (rank == 4 && output.dim(1) == 1)) && output.dim(0) == 1;
  const std::vector<std::int64_t> given = scores || !one_plane ? std::vector<std::int64_t>() : integers_of(output);
  if (!scores && (given.empty() || options.classes == 0)) {
    fail(ErrorCode::invalid_argument, file,
         "the first output is no segmentation: expected scores [1, C, H, W], or classes [1, H, W] and their number "
         "(--classes)");
  }
  const std::int64_t height = output.dim(rank - 2);
  const std::int64_t width = output.dim(rank - 1);
  if (height != mask.height || width != mask.width) {
    fail(ErrorCode::bad_data, file,
         fmt::format("has {} pixels, the model's output {}", size_text(mask.width, mask.height),
                     size_text(width, height)));
  }
  const std::int64_t channels = scores ? output.dim(1) : options.classes;
  if (options.classes > channels || channels > kMostClasses) {
    fail(ErrorCode::invalid_argument, file,
         fmt::format("{} classes are asked for, the output has {}", options.classes, channels));
  }
  const std::int64_t classes = options.classes == 0 ? channels : options.classes;
  const auto found = scores ? best_classes(output.data<float>(), classes, mask.classes.size()) : given;
  classes_.resize(std::max(classes_.size(), static_cast<std::size_t>(classes)));
  for (std::size_t i = 0; i < mask.classes.size(); ++i) {
    const std::int64_t label = mask.classes[i];
    if (label < 0 || label >= classes || label == options.ignored) continue;
    ++classes_[static_cast<std::size_t>(label)].labelled;
    if (found[i] >= 0 && found[i] < classes) ++classes_[static_cast<std::size_t>(found[i])].found;
    if (found[i] == label) ++classes_[static_cast<std::size_t>(label)].both;
  }
}

void Confusion::add(const Confusion& other) {
  classes_.resize(std::max(classes_.size(), other.classes_.size()));
  for (std::size_t c = 0; c < other.classes_.size(); ++c) {
    classes_[c].labelled += other.classes_[c].labelled;
    classes_[c].found += other.classes_[c].found;
    classes_[c].both += other.classes_[c].both;
  }
}

std::optional<MaskAccuracy> Confusion::accuracy() const {
  double ious = 0.0;
  std::size_t present = 0;
  std::uint64_t pixels = 0;
  std::uint64_t right = 0;
  for (const Counts& counts : classes_) {
    const std::uint64_t either = counts.labelled + counts.found - counts.both;
    pixels += counts.labelled;
    right += counts.both;
    if (either == 0) continue;
    ++present;
    ious += static_cast<double>(counts.both) / static_cast<double>(either);
  }
  if (pixels == 0) return std::nullopt;
  return MaskAccuracy{ious / static_cast<double>(present), static_cast<double>(right) / static_cast<double>(pixels)};
}

}  // namespace octavo::verify
