#include "decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "file_bytes.h"

namespace octavo {
namespace data {
namespace {

using namespace std::string_view_literals;

struct Format {
  std::string_view signature;
  Image (*decode)(std::span<const std::uint8_t> bytes, const std::string& name);
};

constexpr Format kFormats[] = {
    {"\xFF\xD8\xFF"sv, decode_jpeg},
    {"\x89PNG\r\n\x1A\n"sv, decode_png},
    {"BM"sv, decode_bmp},
};

const Format* format_of(std::span<const std::uint8_t> start) {
  for (const Format& format : kFormats) {
    const auto same = [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; };
    if (start.size() >= format.signature.size() &&
        std::equal(format.signature.begin(), format.signature.end(), start.begin(), same)) {
      return &format;
    }
  }
  return nullptr;
}

}  // namespace

void check_size(const std::string& name, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) bad_data(name, fmt::format("a picture of {} x {} pixels", width, height));
  if (width > kMaxPixels || height > kMaxPixels || width * height > kMaxPixels) {
    throw Error(ErrorCode::resource_limit, fmt::format("{}: {} x {} pixels, more than the {} a picture may have", name,
                                                       width, height, kMaxPixels));
  }
}

Image make_image(const std::string& name, std::uint64_t width, std::uint64_t height, int channels) {
  check_size(name, width, height);
  Image image{static_cast<int>(width), static_cast<int>(height), channels, {}};
  image.pixels.resize(width * height * static_cast<std::uint64_t>(channels));
  return image;
}

bool looks_like_picture(std::span<const std::uint8_t> start) { return format_of(start) != nullptr; }

}  // namespace data

Image decode_image(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = data::read_file(path);
  const data::Format* format = data::format_of(bytes);
  if (format == nullptr) data::bad_data(path.string(), "neither JPEG, PNG nor BMP by its first bytes");
  return format->decode(bytes, path.string());
}

}  // namespace octavo
