#include <csetjmp>
#include <cstddef>
#include <cstdio>  // before jpeglib.h, which uses FILE without including it

// jerror.h defines its codes once jpeglib.h is known.
#include <jerror.h>
#include <jpeglib.h>

#include "decode.h"
#include "file_bytes.h"

namespace octavo::data {
namespace {

// A progressive file may name any number of scans, each costing a pass over the whole picture.
constexpr int kMaxScans = 256;
constexpr long kMaxMemory = 2000L * 1024 * 1024;

// libjpeg reports errors by a call that must not return. It is C code that need not carry unwind tables, so
// nothing is thrown through it: we jump to the frame that called it, which holds nothing with a destructor.
struct Escape {
  jpeg_error_mgr manager;
  std::jmp_buf target;
  char message[JMSG_LENGTH_MAX];
};

Escape& escape_of(j_common_ptr jpeg) { return *reinterpret_cast<Escape*>(jpeg->err); }

[[noreturn]] void leave(j_common_ptr jpeg) {
  Escape& escape = escape_of(jpeg);
  escape.manager.format_message(jpeg, escape.message);
  std::longjmp(escape.target, 1);
}

// libjpeg goes on after damage and fills the rest of the picture with grey: no sample to learn ranges from.
void refuse_damage(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
      leave(jpeg);
    default:
      break;
  }
}

void stay_silent(j_common_ptr) {}

void limit_scans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
  jpeg->err->msg_code = JERR_BAD_PROGRESSION;
  leave(jpeg);
}

struct Decoder {
  jpeg_decompress_struct jpeg{};
  Escape escape{};
  jpeg_progress_mgr progress{};
  std::vector<std::uint8_t> row;

  Decoder() {
    jpeg.err = jpeg_std_error(&escape.manager);
    escape.manager.error_exit = leave;
    escape.manager.emit_message = refuse_damage;
    escape.manager.output_message = stay_silent;
    progress.progress_monitor = limit_scans;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
};

bool read_header(Decoder& decoder, std::span<const std::uint8_t> bytes) {
  if (setjmp(decoder.escape.target) != 0) return false;
  jpeg_create_decompress(&decoder.jpeg);
  decoder.jpeg.mem->max_memory_to_use = kMaxMemory;
  decoder.jpeg.progress = &decoder.progress;
  jpeg_mem_src(&decoder.jpeg, bytes.data(), bytes.size());
  jpeg_read_header(&decoder.jpeg, TRUE);
  return true;
}

// PIL's CMYK;I and convert("RGB"): the file's values are taken as inverted (Adobe's convention), whether or
// not it has an Adobe marker.
void cmyk_to_rgb(const std::uint8_t* in, std::uint8_t* out, int width) {
  for (int x = 0; x < width; ++x, in += 4, out += 3) {
    const int light = in[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - in[c]) * light + 128;
      out[c] = static_cast<std::uint8_t>(light - (((product >> 8) + product) >> 8));
    }
  }
}

bool read_pixels(Decoder& decoder, Image& image) {
  if (setjmp(decoder.escape.target) != 0) return false;
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  jpeg_start_decompress(&jpeg);
  const std::size_t stride = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
  const bool cmyk = jpeg.out_color_space == JCS_CMYK;
  while (jpeg.output_scanline < jpeg.output_height) {
    std::uint8_t* const out = image.pixels.data() + jpeg.output_scanline * stride;
    JSAMPROW row = cmyk ? decoder.row.data() : out;
    jpeg_read_scanlines(&jpeg, &row, 1);
    if (cmyk) cmyk_to_rgb(row, out, image.width);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name) {
  Decoder decoder;
  if (!read_header(decoder, bytes)) bad_data(name, std::string("broken JPEG: ") + decoder.escape.message);
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  const bool grey = jpeg.num_components == 1;
  if (!grey && jpeg.num_components != 3 && jpeg.num_components != 4) {
    bad_data(name, "a JPEG with " + std::to_string(jpeg.num_components) + " components; 1, 3 or 4 can be read");
  }
  jpeg.out_color_space = grey ? JCS_GRAYSCALE : jpeg.num_components == 3 ? JCS_RGB : JCS_CMYK;
  Image image = make_image(name, jpeg.image_width, jpeg.image_height, grey ? 1 : 3);
  if (jpeg.out_color_space == JCS_CMYK) decoder.row.resize(std::size_t{4} * jpeg.image_width);
  if (!read_pixels(decoder, image)) bad_data(name, std::string("broken JPEG: ") + decoder.escape.message);
  return image;
}

}  // namespace octavo::data
