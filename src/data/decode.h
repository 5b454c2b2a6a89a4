#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "octavo/data.h"

namespace octavo::data {

/// More pixels than any picture of a data set has; RGB takes 768 MiB.
inline constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 28;

/// A zeroed picture. Throws Error(bad_data) for empty sizes, Error(resource_limit) above kMaxPixels, before
/// anything is allocated. `name` is the file, for messages.
Image make_image(const std::string& name, std::uint64_t width, std::uint64_t height, int channels);
/// The check alone.
void check_size(const std::string& name, std::uint64_t width, std::uint64_t height);

/// Each decodes a whole file whose first bytes were recognised; `name` is the file, for messages.
Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_bmp(std::span<const std::uint8_t> bytes, const std::string& name);

/// Whether the first bytes are those of a picture format we read.
bool looks_like_picture(std::span<const std::uint8_t> start);
/// As many bytes as looks_like_picture wants to see.
inline constexpr std::size_t kSignatureBytes = 8;

}  // namespace octavo::data
