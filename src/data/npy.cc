// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include "npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include "file_bytes.h"
#include "octavo/data.h"

namespace octavo {
namespace data {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\x93NUMPY"sv;
constexpr std::size_t kMaxHeader = 65536;
constexpr std::size_t kMaxRank = 32;

struct TypeName {
  std::string_view descr;
  DType dtype;
};

constexpr TypeName kTypes[] = {
    {"<f4", DType::f32}, {"<f8", DType::f64}, {"<f2", DType::f16}, {"|i1", DType::i8},
    {"|u1", DType::u8},  {"<i2", DType::i16}, {"<u2", DType::u16}, {"<i4", DType::i32},
    {"<u4", DType::u32}, {"<i8", DType::i64}, {"<u8", DType::u64}, {"|b1", DType::boolean},
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\n\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n\r") - begin + 1);
}

// The text after `key` in the header, a Python dictionary of three entries.
std::string_view after_key(std::string_view header, std::string_view key, const std::string& name) {
  const std::size_t at = header.find(fmt::format("'{}'", key));
  const std::size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  if (colon == std::string_view::npos) bad_data(name, fmt::format("broken .npy: its header has no '{}'", key));
  return trimmed(header.substr(colon + 1));
}

DType parse_dtype(std::string_view text, const std::string& name) {
  for (const TypeName& type : kTypes) {
    if (text.starts_with(fmt::format("'{}'", type.descr))) return type.dtype;
  }
  const std::string_view shown = text.substr(0, std::min<std::size_t>(text.find(','), 24));
  bad_data(name, fmt::format(".npy elements of type {}: expected little-endian integers, floats or booleans; save "
                             "it with .astype('<f4')",
                             shown));
}

Shape parse_shape(std::string_view text, const std::string& name) {
  const std::size_t close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos) {
    bad_data(name, "broken .npy: its header's 'shape' is no tuple");
  }
  Shape shape;
  std::string_view rest = trimmed(text.substr(1, close - 1));
  while (!rest.empty()) {
    std::int64_t dim = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), dim);
    if (error != std::errc() || dim < 0 || shape.size() == kMaxRank) {
      bad_data(name, fmt::format("broken .npy: shape {}", text.substr(0, std::min<std::size_t>(close + 1, 80))));
    }
    shape.push_back(dim);
    rest = trimmed(rest.substr(static_cast<std::size_t>(end - rest.data())));
    if (rest.empty()) break;
    if (rest.front() != ',') bad_data(name, "broken .npy: its header's 'shape' is no tuple of numbers");
    rest = trimmed(rest.substr(1));
  }
  return shape;
}

void check_extent(const NpyHeader& header, std::uint64_t file_size, const std::string& name) {
  const auto count = checked_element_count(header.shape);
  const std::uint64_t room = file_size - header.data_offset;
  if (!count || static_cast<std::uint64_t>(*count) > room / size_of(header.dtype)) {
    bad_data(name, fmt::format("broken .npy: shape ({}) of {} does not fit in the file's {} bytes of data",
                               fmt::join(header.shape, ", "), name_of(header.dtype), room));
  }
}

// The text of the header, and where the data begins.
std::pair<std::string, std::uint64_t> header_text(const std::filesystem::path& path) {
  const std::string name = path.string();
  const std::vector<std::uint8_t> start = read_start(path, 12 + kMaxHeader);
  const auto* const chars = reinterpret_cast<const char*>(start.data());
  if (!std::string_view(chars, start.size()).starts_with(kMagic)) bad_data(name, "no .npy file by its first bytes");
  const auto byte = [&](std::size_t at) -> std::size_t {
    if (at >= start.size()) bad_data(name, "broken .npy: the file ends within its header");
    return start[at];
  };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) bad_data(name, fmt::format(".npy of version {}: expected 1, 2 or 3", version));
  const std::size_t width = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= byte(8 + i) << (8 * i);
  if (length > kMaxHeader) bad_data(name, fmt::format("broken .npy: a header of {} bytes", length));
  const std::size_t begin = 8 + width;
  if (length > start.size() - begin) bad_data(name, "broken .npy: the file ends within its header");
  return {std::string(chars + begin, length), begin + length};
}

void write_header(std::ofstream& file, std::string_view descr, std::span<const std::int64_t> shape) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // The data begins at a multiple of 64, so that it can be mapped.
  const std::size_t unpadded = kMagic.size() + 4 + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ');
  header.push_back('\n');
  const std::array<char, 4> version = {1, 0, static_cast<char>(header.size() & 0xFF),
                                       static_cast<char>(header.size() >> 8)};
  file.write(kMagic.data(), static_cast<std::streamsize>(kMagic.size()));
  file.write(version.data(), version.size());
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
}

}  // namespace

NpyHeader read_npy_header(const std::filesystem::path& path) {
  const std::string name = path.string();
  const auto [text, data_offset] = header_text(path);
  NpyHeader header;
  header.data_offset = data_offset;
  header.dtype = parse_dtype(after_key(text, "descr", name), name);
  if (!after_key(text, "fortran_order", name).starts_with("False")) {
    bad_data(name, ".npy in Fortran order: save it with numpy.ascontiguousarray");
  }
  header.shape = parse_shape(after_key(text, "shape", name), name);
  check_extent(header, regular_file_size(path), name);
  return header;
}

Tensor read_npy_elements(const std::filesystem::path& path, const NpyHeader& header, std::int64_t first, Shape shape) {
  Tensor tensor(header.dtype, std::move(shape), true);
  std::ifstream file(path, std::ios::binary);
  file.seekg(
      static_cast<std::streamoff>(header.data_offset + static_cast<std::uint64_t>(first) * size_of(header.dtype)));
  file.read(reinterpret_cast<char*>(tensor.mutable_bytes()), static_cast<std::streamsize>(tensor.byte_size()));
  if (!file) throw Error(ErrorCode::io, fmt::format("{}: cannot be read any more", path.string()));
  // Any other byte than 0 and 1 in a bool is undefined behaviour later.
  if (header.dtype == DType::boolean) {
    std::byte* const bytes = tensor.mutable_bytes();
    for (std::size_t i = 0; i < tensor.byte_size(); ++i) bytes[i] = std::byte{bytes[i] != std::byte{0}};
  }
  return tensor;
}

}  // namespace data

Tensor read_npy(const std::filesystem::path& path) {
  const data::NpyHeader header = data::read_npy_header(path);
  return data::read_npy_elements(path, header, 0, header.shape);
}

void write_npy(const TensorView& tensor, const std::filesystem::path& path) {
  std::string_view descr;
  for (const data::TypeName& type : data::kTypes) {
    if (type.dtype == tensor.dtype()) descr = type.descr;
  }
  if (descr.empty()) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: .npy has no elements of type {}", path.string(), name_of(tensor.dtype())));
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  data::write_header(file, descr, tensor.shape());
  file.write(static_cast<const char*>(tensor.bytes()),
             static_cast<std::streamsize>(static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype())));
  file.close();
  if (!file) throw Error(ErrorCode::io, fmt::format("{}: cannot be written", path.string()));
}

}  // namespace octavo
