#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <string>

#include "octavo/core/names.h"
#include "octavo/data.h"

namespace octavo {
namespace {

// Beyond any real model; width * height * 3 floats stay far below the limit of memory.
constexpr int kMaxSide = 16384;

constexpr std::int64_t kOpen = -1;

struct Frame {
  std::int64_t channels = kOpen;
  std::int64_t height = kOpen;
  std::int64_t width = kOpen;
  Layout layout = Layout::nchw;
};

std::string describe(const InputSpec& input) {
  return fmt::format("input '{}' [{}]", input.name, fmt::join(input.dims, ","));
}

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::invalid_argument, message); }

bool picture_channels(std::int64_t dim) { return dim == 1 || dim == 3; }

// Channels come first unless only the last dimension can be channels.
Layout choose_layout(const std::optional<Layout>& wanted, std::int64_t first, std::int64_t last) {
  if (wanted) return *wanted;
  return !picture_channels(first) && picture_channels(last) ? Layout::nhwc : Layout::nchw;
}

Frame frame_of(const InputSpec& input, const std::optional<Layout>& wanted) {
  const std::size_t rank = input.dims.size();
  if (rank != 3 && rank != 4) {
    refuse(fmt::format("{} takes no pictures, which have 3 or 4 dimensions: give it .npy or .txt tensors",
                       describe(input)));
  }
  if (rank == 4 && input.dims[0] != kOpen && input.dims[0] != 1) {
    refuse(
        fmt::format("{} has a batch of {}: pictures need a batch of 1 or an open one; give .npy tensors of the "
                    "whole shape",
                    describe(input), input.dims[0]));
  }
  const std::int64_t* dims = input.dims.data() + (rank - 3);
  Frame frame;
  frame.layout = choose_layout(wanted, dims[0], dims[2]);
  const bool channels_first = frame.layout == Layout::nchw;
  frame.channels = channels_first ? dims[0] : dims[2];
  frame.height = channels_first ? dims[1] : dims[0];
  frame.width = channels_first ? dims[2] : dims[1];
  if (frame.channels != kOpen && !picture_channels(frame.channels)) {
    refuse(fmt::format("{} has {} as {}: pictures have 1 or 3; check --layout, or give .npy tensors", describe(input),
                       count_of(frame.channels, "channel"), channels_first ? "NCHW" : "NHWC"));
  }
  return frame;
}

void check_side(int side, const char* what) {
  if (side < 1 || side > kMaxSide) refuse(fmt::format("{} {}: expected 1 to {} pixels", what, side, kMaxSide));
}

void check_values(const std::vector<double>& values, const char* what, int channels, bool divisor) {
  if (values.size() > 1 && values.size() != static_cast<std::size_t>(channels)) {
    refuse(fmt::format("{} has {}: expected one, or one for each of {} channels", what,
                       count_of(values.size(), "value"), channels));
  }
  for (const double value : values) {
    const bool fits = std::fabs(value) <= std::numeric_limits<float>::max();  // not so for NaN
    if (!fits || (divisor && static_cast<float>(value) == 0.0F)) {
      refuse(fmt::format("{} {}: expected a finite number{}", what, value, divisor ? " other than 0" : ""));
    }
  }
}

void check_options(const Preprocess& preprocess, int channels) {
  const auto& fraction = preprocess.crop_fraction;
  if (fraction && !(*fraction > 0.0 && *fraction <= 1.0)) {
    refuse(fmt::format("crop_fraction {}: expected more than 0 and at most 1", *fraction));
  }
  if (preprocess.resize && preprocess.resize_short) refuse("resize and resize_short exclude each other: give one");
  if (preprocess.resize_short) check_side(*preprocess.resize_short, "resize_short");
  for (const auto& [size, what] : {std::pair(preprocess.resize, "resize"), {preprocess.center_crop, "center_crop"}}) {
    if (!size) continue;
    check_side(size->first, what);
    check_side(size->second, what);
  }
  const auto& [low, high] = preprocess.pixel_range;
  constexpr double kMost = std::numeric_limits<float>::max() / 2;
  if (!(std::fabs(low) <= kMost && std::fabs(high) <= kMost) || low == high) {
    refuse(fmt::format("pixel_range {},{}: expected two different finite numbers", low, high));
  }
  check_values(preprocess.mean, "mean", channels, false);
  check_values(preprocess.scale, "scale", channels, false);
  check_values(preprocess.std, "std", channels, true);
}

void check_final_size(const std::pair<int, int>& size, const char* what, const Frame& frame, const InputSpec& input) {
  if ((frame.width == kOpen || frame.width == size.first) && (frame.height == kOpen || frame.height == size.second)) {
    return;
  }
  refuse(fmt::format("{} {}x{} contradicts {}, which wants {}x{} (width x height)", what, size.first, size.second,
                     describe(input), frame.width, frame.height));
}

// Gives the picture the input's size where the options leave it open; resize_short alone gives one side only.
void complete_size(CompletedPreprocess& completed, const Frame& frame, const InputSpec& input) {
  Preprocess& preprocess = completed.preprocess;
  if (preprocess.center_crop) return check_final_size(*preprocess.center_crop, "center_crop", frame, input);
  if (preprocess.resize) return check_final_size(*preprocess.resize, "resize", frame, input);
  if (frame.width == kOpen || frame.height == kOpen) {
    if (preprocess.resize_short && frame.width == kOpen && frame.height == kOpen) return;
    refuse(fmt::format("{} leaves the size of pictures open: give --resize WIDTHxHEIGHT", describe(input)));
  }
  if (frame.width < 1 || frame.height < 1 || frame.width > kMaxSide || frame.height > kMaxSide) {
    refuse(fmt::format("{} is of no size that pictures can have (1 to {})", describe(input), kMaxSide));
  }
  const std::pair<int, int> size(static_cast<int>(frame.width), static_cast<int>(frame.height));
  if (preprocess.resize_short) {
    preprocess.center_crop = size;
    completed.notes.push_back(
        fmt::format("center crop to {}x{}, the size of {}", size.first, size.second, describe(input)));
    return;
  }
  preprocess.resize = size;
  completed.notes.push_back(fmt::format("resize to {}x{} ({}), the size of {}", size.first, size.second,
                                        name_of(preprocess.interpolation), describe(input)));
}

}  // namespace

CompletedPreprocess complete_preprocess(const Preprocess& preprocess, const InputSpec& input) {
  const Frame frame = frame_of(input, preprocess.layout);
  CompletedPreprocess completed{preprocess, 3, {}};
  if (frame.channels == kOpen) {
    completed.notes.push_back(fmt::format("3 channels assumed: {} leaves them open", describe(input)));
  } else {
    completed.channels = static_cast<int>(frame.channels);
  }
  check_options(preprocess, completed.channels);
  if (!preprocess.layout) {
    completed.preprocess.layout = frame.layout;
    if (frame.layout == Layout::nhwc) {
      completed.notes.push_back(fmt::format("layout NHWC, from the shape of {}", describe(input)));
    }
  }
  if (completed.channels == 1) {
    completed.notes.push_back(fmt::format("pictures become grey: {} has one channel", describe(input)));
  }
  complete_size(completed, frame, input);
  return completed;
}

}  // namespace octavo
