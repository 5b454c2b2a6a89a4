#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "decode.h"
#include "file_bytes.h"

namespace octavo::data {
namespace {

constexpr png_alloc_size_t kMaxChunkBytes = png_alloc_size_t{8} << 20;
constexpr png_uint_32 kMaxKeptChunks = 128;
// Deflate makes at most 1032 bytes of one: a file too short for its size is refused before allocation.
constexpr std::uint64_t kMaxDeflateRatio = 1032;

struct Source {
  std::span<const std::uint8_t> rest;
};

void read_bytes(png_structp png, png_bytep out, std::size_t count) {
  auto& source = *static_cast<Source*>(png_get_io_ptr(png));
  if (count > source.rest.size()) png_error(png, "the file ends too early");
  std::memcpy(out, source.rest.data(), count);
  source.rest = source.rest.subspan(count);
}

// As with libjpeg, nothing is thrown through libpng; see decode_jpeg.cc.
struct Decoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Source source;
  std::jmp_buf target{};
  char message[128] = "out of memory";
  std::vector<png_bytep> rows;

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void leave(png_structp png, png_const_charp message) {
  auto& decoder = *static_cast<Decoder*>(png_get_error_ptr(png));
  std::snprintf(decoder.message, sizeof decoder.message, "%s", message);
  std::longjmp(decoder.target, 1);
}

void stay_silent(png_structp, png_const_charp) {}

bool read_header(Decoder& decoder) {
  if (setjmp(decoder.target) != 0) return false;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, leave, stay_silent);
  if (decoder.png == nullptr) return false;
  decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) return false;
  png_set_user_limits(decoder.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size has the say
  png_set_chunk_malloc_max(decoder.png, kMaxChunkBytes);
  png_set_chunk_cache_max(decoder.png, kMaxKeptChunks);
  png_set_read_fn(decoder.png, &decoder.source, read_bytes);
  png_read_info(decoder.png, decoder.info);
  return true;
}

// What PIL's open and convert("RGB") do: palettes expanded, alpha and transparent colours dropped, the high
// byte of 16 bits, no gamma. For 16-bit grey PIL clips instead (its mode I;16): v / 256 is what was meant.
bool read_pixels(Decoder& decoder) {
  if (setjmp(decoder.target) != 0) return false;
  png_structp png = decoder.png;
  if (png_get_color_type(png, decoder.info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (png_get_bit_depth(png, decoder.info) < 8) png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, decoder.info);
  const std::size_t row_bytes = static_cast<std::size_t>(decoder.rows[1] - decoder.rows[0]);
  if (png_get_rowbytes(png, decoder.info) != row_bytes) png_error(png, "unexpected size of a row");
  png_read_image(png, decoder.rows.data());
  png_read_end(png, nullptr);
  return true;
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name) {
  Decoder decoder;
  decoder.source.rest = bytes;
  if (!read_header(decoder)) bad_data(name, std::string("broken PNG: ") + decoder.message);
  const std::uint64_t width = png_get_image_width(decoder.png, decoder.info);
  const std::uint64_t height = png_get_image_height(decoder.png, decoder.info);
  check_size(name, width, height);
  if (png_get_rowbytes(decoder.png, decoder.info) * height / kMaxDeflateRatio > bytes.size()) {
    bad_data(name, "broken PNG: the file is too short for its " + std::to_string(width) + " x " +
                       std::to_string(height) + " pixels");
  }
  const bool colour = (png_get_color_type(decoder.png, decoder.info) & PNG_COLOR_MASK_COLOR) != 0;
  Image image = make_image(name, width, height, colour ? 3 : 1);
  // One more than rows: the distance of the first two is the stride also where there is one row only.
  decoder.rows.resize(height + 1);
  for (std::size_t y = 0; y <= height; ++y) decoder.rows[y] = image.pixels.data() + y * (image.pixels.size() / height);
  if (!read_pixels(decoder)) bad_data(name, std::string("broken PNG: ") + decoder.message);
  return image;
}

}  // namespace octavo::data
