#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "decode.h"
#include "file_bytes.h"

namespace octavo::data {
namespace {

constexpr std::uint32_t kFileHeader = 14;
constexpr std::uint32_t kCoreHeader = 12;
constexpr std::uint32_t kInfoHeader = 40;
constexpr std::uint32_t kRgb = 0;
constexpr std::uint32_t kBitFields = 3;
constexpr std::uint32_t kAlphaBitFields = 6;

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;  // RGB; entries the file leaves out are black

// Reads little-endian numbers and refuses to look behind the end.
class Bytes {
 public:
  Bytes(std::span<const std::uint8_t> bytes, const std::string& name) : bytes_(bytes), name_(name) {}
  std::uint32_t u8(std::uint64_t at) const {
    if (at >= bytes_.size()) bad_data(name_, "broken BMP: the file ends too early");
    return bytes_[at];
  }
  std::uint32_t u16(std::uint64_t at) const { return u8(at) | u8(at + 1) << 8; }
  std::uint32_t u32(std::uint64_t at) const { return u16(at) | u16(at + 2) << 16; }
  std::span<const std::uint8_t> slice(std::uint64_t at, std::uint64_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) bad_data(name_, "broken BMP: the file ends too early");
    return bytes_.subspan(at, count);
  }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::string& name_;
};

struct Header {
  std::uint32_t pixel_offset = 0;
  std::uint32_t size = 0;
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  bool top_down = false;
  std::uint32_t bits = 0;
  std::uint32_t compression = kRgb;
  std::uint32_t colors = 0;
};

Header read_header(const Bytes& bytes, const std::string& name) {
  Header header;
  header.pixel_offset = bytes.u32(10);
  header.size = bytes.u32(kFileHeader);
  if (header.size == kCoreHeader) {
    header.width = bytes.u16(18);
    header.height = bytes.u16(20);
    header.bits = bytes.u16(24);
    return header;
  }
  if (header.size < kInfoHeader) bad_data(name, fmt::format("a BMP header of {} bytes is not known", header.size));
  const auto width = static_cast<std::int32_t>(bytes.u32(18));
  const auto height = static_cast<std::int32_t>(bytes.u32(22));
  if (width < 0) bad_data(name, fmt::format("broken BMP: width {}", width));
  header.width = static_cast<std::uint64_t>(width);
  header.top_down = height < 0;
  header.height = static_cast<std::uint64_t>(std::abs(std::int64_t{height}));
  header.bits = bytes.u16(28);
  header.compression = bytes.u32(30);
  header.colors = bytes.u32(46);
  return header;
}

void check_header(const Header& header, const std::string& name) {
  const bool masks = header.compression == kBitFields || header.compression == kAlphaBitFields;
  if (header.compression != kRgb && !masks) {
    bad_data(name, fmt::format("BMP compression {} (run lengths, JPEG or PNG inside) cannot be read; save it "
                               "uncompressed or as PNG",
                               header.compression));
  }
  constexpr std::uint32_t kBits[] = {1, 4, 8, 16, 24, 32};
  if (std::find(std::begin(kBits), std::end(kBits), header.bits) == std::end(kBits)) {
    bad_data(name, fmt::format("a BMP of {} bits a pixel; 1, 4, 8, 16, 24 and 32 can be read", header.bits));
  }
  if (masks && header.bits != 16 && header.bits != 32) {
    bad_data(name, fmt::format("broken BMP: bit masks for {} bits a pixel", header.bits));
  }
  check_size(name, header.width, header.height);
}

Palette read_palette(const Bytes& bytes, const Header& header) {
  Palette palette{};
  const std::uint32_t entry = header.size == kCoreHeader ? 3 : 4;
  const std::uint32_t most = 1U << header.bits;
  const std::uint32_t count = header.colors == 0 ? most : std::min(header.colors, most);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::span<const std::uint8_t> bgr =
        bytes.slice(std::uint64_t{kFileHeader} + header.size + std::uint64_t{i} * entry, 3);
    palette[i] = {bgr[2], bgr[1], bgr[0]};
  }
  return palette;
}

// One colour's bits in a pixel: their place, and the largest value they hold.
struct Mask {
  int shift = 0;
  std::uint32_t max = 0;

  explicit Mask(std::uint32_t mask) : shift(mask == 0 ? 0 : std::countr_zero(mask)), max(mask >> shift) {}
  std::uint8_t of(std::uint32_t pixel) const {
    return max == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(std::uint64_t{(pixel >> shift) & max} * 255 / max);
  }
};

std::array<Mask, 3> read_masks(const Bytes& bytes, const Header& header, const std::string& name) {
  std::array<std::uint32_t, 3> masks = {0x7C00, 0x03E0, 0x001F};
  if (header.bits == 32) masks = {0xFF0000, 0x00FF00, 0x0000FF};
  if (header.compression != kRgb) {
    for (std::uint32_t c = 0; c < 3; ++c)
      masks[c] = bytes.u32(std::uint64_t{kFileHeader} + kInfoHeader + std::uint64_t{4} * c);
  }
  for (const std::uint32_t mask : masks) {
    const std::uint32_t low = mask == 0 ? 0 : mask >> std::countr_zero(mask);
    if ((low & (low + 1)) != 0) bad_data(name, fmt::format("broken BMP: bit mask {:#x} has gaps", mask));
  }
  return {Mask(masks[0]), Mask(masks[1]), Mask(masks[2])};
}

void read_indexed_row(std::span<const std::uint8_t> in, std::uint32_t bits, const Palette& palette,
                      std::span<std::uint8_t> out) {
  const std::uint32_t per_byte = 8 / bits;
  for (std::size_t x = 0; x < out.size() / 3; ++x) {
    const auto shift = static_cast<std::uint32_t>(8 - bits - bits * (x % per_byte));
    const std::uint32_t index = (static_cast<std::uint32_t>(in[x / per_byte]) >> shift) & ((1U << bits) - 1);
    std::copy(palette[index].begin(), palette[index].end(), out.begin() + static_cast<std::ptrdiff_t>(3 * x));
  }
}

void read_bgr_row(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i + 2 < out.size(); i += 3) {
    out[i] = in[i + 2];
    out[i + 1] = in[i + 1];
    out[i + 2] = in[i];
  }
}

void read_masked_row(std::span<const std::uint8_t> in, std::uint32_t bits, const std::array<Mask, 3>& masks,
                     std::span<std::uint8_t> out) {
  const std::size_t step = bits / 8;
  for (std::size_t x = 0; x < out.size() / 3; ++x) {
    std::uint32_t pixel = 0;
    for (std::size_t b = 0; b < step; ++b) pixel |= static_cast<std::uint32_t>(in[x * step + b]) << (8 * b);
    for (std::size_t c = 0; c < 3; ++c) out[3 * x + c] = masks[c].of(pixel);
  }
}

}  // namespace

Image decode_bmp(std::span<const std::uint8_t> file, const std::string& name) {
  const Bytes bytes(file, name);
  const Header header = read_header(bytes, name);
  check_header(header, name);
  const std::uint64_t stride = (header.width * header.bits + 31) / 32 * 4;
  const std::span<const std::uint8_t> pixels = bytes.slice(header.pixel_offset, stride * header.height);
  const Palette palette = header.bits <= 8 ? read_palette(bytes, header) : Palette{};
  const std::array<Mask, 3> masks = read_masks(bytes, header, name);

  Image image = make_image(name, header.width, header.height, 3);
  for (std::uint64_t y = 0; y < header.height; ++y) {
    const auto in = pixels.subspan((header.top_down ? y : header.height - 1 - y) * stride, stride);
    const auto out = std::span(image.pixels).subspan(y * header.width * 3, header.width * 3);
    if (header.bits <= 8) {
      read_indexed_row(in, header.bits, palette, out);
    } else if (header.bits == 24) {
      read_bgr_row(in, out);
    } else {
      read_masked_row(in, header.bits, masks, out);
    }
  }
  return image;
}

}  // namespace octavo::data
