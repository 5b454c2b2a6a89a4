#include <catch2/catch.hpp>

#include "fixtures.h"

using namespace octavo;
using namespace octavo::test;

namespace {

struct Case {
  std::filesystem::path picture;
  std::filesystem::path expected;
};

std::vector<Case> cases() {
  std::vector<Case> found;
  for (const auto& entry : std::filesystem::directory_iterator(golden("decode"))) {
    if (entry.path().extension() == ".npy") found.push_back({entry.path().parent_path() / entry.path().stem(), entry});
  }
  std::sort(found.begin(), found.end(), [](const Case& a, const Case& b) { return a.picture < b.picture; });
  return found;
}

void put_u32(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value, bool big_endian) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * (big_endian ? 3 - i : i)));
  }
}

// CRC-32 of PNG, bit by bit.
std::uint32_t crc(const std::uint8_t* data, std::size_t count) {
  std::uint32_t value = 0xFFFFFFFFU;
  for (std::size_t i = 0; i < count; ++i) {
    value ^= data[i];
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~value;
}

std::vector<std::uint8_t> png_of_size(std::uint32_t width, std::uint32_t height) {
  std::vector<std::uint8_t> bytes = bytes_of(golden("decode/rgb8.png"));
  put_u32(bytes, 16, width, true);
  put_u32(bytes, 20, height, true);
  put_u32(bytes, 29, crc(bytes.data() + 12, 17), true);
  return bytes;
}

std::vector<std::uint8_t> bmp_of_size(std::uint32_t width, std::uint32_t height) {
  std::vector<std::uint8_t> bytes = bytes_of(golden("decode/rgb24.bmp"));
  put_u32(bytes, 18, width, false);
  put_u32(bytes, 22, height, false);
  return bytes;
}

}  // namespace

TEST_CASE("pictures decode to PIL's pixels, to the bit") {
  const std::vector<Case> all = cases();
  REQUIRE(all.size() >= 40);
  for (const Case& c : all) {
    INFO(c.picture);
    const Image image = decode_image(c.picture);
    const Tensor expected = read_npy(c.expected);
    const Shape shape = image.channels == 1 ? Shape{image.height, image.width} : Shape{image.height, image.width, 3};
    REQUIRE(expected.shape() == shape);
    const auto wanted = expected.data<std::uint8_t>();
    CHECK(std::equal(wanted.begin(), wanted.end(), image.pixels.begin(), image.pixels.end()));
  }
}

TEST_CASE("a picture cut short anywhere is an error that names the file") {
  const TempFolder folder;
  for (const char* name : {"420.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "restarts.jpg", "rgb8.png",
                           "palette4.png", "rgb8_interlaced.png", "palette4.bmp", "rgb24.bmp", "rgb565.bmp"}) {
    const std::vector<std::uint8_t> whole = bytes_of(golden(std::string("decode/") + name));
    REQUIRE(whole.size() > 100);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const auto path = folder.write("cut", {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
      const Failure failure = failure_of([&] { decode_image(path); });
      INFO(name << " cut to " << length << " of " << whole.size() << " bytes: " << failure.message);
      REQUIRE(failure.code == ErrorCode::bad_data);
      REQUIRE(failure.says(path.string()));
    }
  }
}

TEST_CASE("a picture with any one byte changed decodes or is refused, never worse") {
  const TempFolder folder;
  for (const char* name : {"420.jpg", "progressive.jpg", "cmyk.jpg", "palette4.png", "palette4.bmp", "rgb565.bmp"}) {
    const std::vector<std::uint8_t> whole = bytes_of(golden(std::string("decode/") + name));
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::vector<std::uint8_t> changed = whole;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (at % 2 == 0 ? 0xFF : 0x10));
      const auto path = folder.write("changed", changed);
      const Failure failure = failure_of([&] { decode_image(path); });
      INFO(name << " changed at " << at << ": " << failure.message);
      const bool expected = failure.code == ErrorCode::ok || failure.code == ErrorCode::bad_data ||
                            failure.code == ErrorCode::resource_limit;
      REQUIRE(expected);
    }
  }
}

TEST_CASE("absurd sizes are refused before memory is taken") {
  const TempFolder folder;
  const auto code_of = [&](const std::vector<std::uint8_t>& bytes) {
    const auto path = folder.write("huge", bytes);
    return failure_of([&] { decode_image(path); }).code;
  };
  CHECK(code_of(png_of_size(0x7FFFFFFF, 0x7FFFFFFF)) == ErrorCode::resource_limit);
  CHECK(code_of(png_of_size(1U << 20, 1U << 9)) == ErrorCode::resource_limit);
  // Within the limit of pixels, but no file of this length can hold so many.
  CHECK(code_of(png_of_size(1U << 14, 1U << 14)) == ErrorCode::bad_data);
  CHECK(code_of(png_of_size(0, 5)) == ErrorCode::bad_data);
  CHECK(code_of(bmp_of_size(0x7FFFFFFF, 0x7FFFFFFF)) == ErrorCode::resource_limit);
  CHECK(code_of(bmp_of_size(0x7FFFFFFF, 0x80000000)) == ErrorCode::resource_limit);
  CHECK(code_of(bmp_of_size(1U << 14, 1U << 14)) == ErrorCode::bad_data);
  CHECK(code_of(bmp_of_size(0xFFFFFFFF, 5)) == ErrorCode::bad_data);
  CHECK(code_of(bmp_of_size(5, 0)) == ErrorCode::bad_data);
}

TEST_CASE("a JPEG of the largest size in a few bytes is refused") {
  std::vector<std::uint8_t> bytes = bytes_of(golden("decode/420.jpg"));
  const std::vector<std::uint8_t> frame = {0xFF, 0xC0, 0x00, 0x11, 0x08};
  const auto sof = std::search(bytes.begin(), bytes.end(), frame.begin(), frame.end());
  REQUIRE(sof != bytes.end());
  std::fill_n(sof + 5, 4, std::uint8_t{0xF0});  // 61680 x 61680; libjpeg itself refuses more than 65500
  const TempFolder folder;
  const auto path = folder.write("huge.jpg", bytes);
  CHECK(failure_of([&] { decode_image(path); }).code == ErrorCode::resource_limit);
}

TEST_CASE("what is no picture is refused with the reason") {
  const TempFolder folder;
  CHECK(failure_of([&] { decode_image(folder / "absent.png"); }).code == ErrorCode::io);
  CHECK(failure_of([&] { decode_image(folder.path()); }).code == ErrorCode::io);
  CHECK(failure_of([&] { decode_image("/dev/zero"); }).code == ErrorCode::io);
  const Failure text = failure_of([&] { decode_image(folder.write("a.png", "GIF89a and more")); });
  CHECK(text.code == ErrorCode::bad_data);
  CHECK(text.says("neither JPEG, PNG nor BMP"));
  std::vector<std::uint8_t> run_lengths = bytes_of(golden("decode/palette8.bmp"));
  run_lengths[30] = 1;
  const Failure failure = failure_of([&] { decode_image(folder.write("rle.bmp", run_lengths)); });
  CHECK(failure.code == ErrorCode::bad_data);
  CHECK(failure.says("compression 1"));
}
