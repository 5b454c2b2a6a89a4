#include "bin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "octavo/error.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::uint32_t kRawFloats = 0;
constexpr std::uint32_t kHalves = 0x01306B47;
constexpr std::uint32_t kBytes = 0x000D4B38;
constexpr std::uint32_t kScaledFloats = 0x0002C056;
constexpr std::size_t kTableSize = 256;
constexpr std::int64_t kAlignment = 4;

void append(std::vector<std::byte>& bytes, const void* data, std::size_t size) {
  const auto* const begin = static_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), begin, begin + size);
}

/// IEEE 754 binary16: 5 bits of exponent, 10 of mantissa.
float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return mantissa == 0 ? sign * std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

Tensor halves(std::span<const std::byte> bytes, std::int64_t count) {
  Tensor tensor(DType::f32, {count}, true);
  const auto values = tensor.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * i, sizeof(bits));
    values[i] = half_to_float(bits);
  }
  return tensor;
}

Tensor raw(DType dtype, std::span<const std::byte> bytes, std::int64_t count) {
  Tensor tensor(dtype, {count}, true);
  if (count > 0) std::memcpy(tensor.mutable_bytes(), bytes.data(), tensor.byte_size());
  return tensor;
}

/// ncnn takes a table to follow where any byte of the tag is not zero, and refuses none.
bool is_table(std::uint32_t tag) { return tag != kRawFloats; }

}  // namespace

std::vector<std::byte> bin_bytes(std::span<const Layer> layers) {
  std::vector<std::byte> bytes;
  for (const Layer& layer : layers) {
    for (const Blob& blob : layer.weights) {
      const std::uint32_t tag = blob.tensor.dtype() == DType::i8 ? kBytes : kRawFloats;
      if (blob.kind == Blob::Kind::tagged) append(bytes, &tag, sizeof(tag));
      append(bytes, blob.tensor.bytes(), blob.tensor.byte_size());
      while (bytes.size() % static_cast<std::size_t>(kAlignment) != 0) bytes.push_back(std::byte{0});
    }
  }
  return bytes;
}

std::span<const std::byte> BinReader::take(std::int64_t count, std::int64_t element_size) {
  const auto left = static_cast<std::int64_t>(rest());
  if (count < 0 || count > left / element_size) {
    throw Error(ErrorCode::bad_model,
                fmt::format("the file of weights ends too early: at byte {} {} elements of {} bytes are wanted, and {} "
                            "bytes are left",
                            place_, count, element_size, left));
  }
  const std::int64_t size = (count * element_size + kAlignment - 1) / kAlignment * kAlignment;
  const auto bytes = bytes_.subspan(place_, static_cast<std::size_t>(std::min(size, left)));
  place_ += bytes.size();
  return bytes;
}

std::uint32_t BinReader::tag() {
  const auto bytes = take(1, sizeof(std::uint32_t));
  std::uint32_t tag = 0;
  std::memcpy(&tag, bytes.data(), sizeof(tag));
  return tag;
}

Tensor BinReader::plain(std::int64_t count) { return raw(DType::f32, take(count, sizeof(float)), count); }

Tensor BinReader::tagged(std::int64_t count) {
  const std::uint32_t kind = tag();
  if (kind == kHalves) return halves(take(count, 2), count);
  if (kind == kBytes) return raw(DType::i8, take(count, 1), count);
  if (kind == kScaledFloats || !is_table(kind)) return plain(count);
  const Tensor table = plain(kTableSize);
  const auto indices = take(count, 1);
  Tensor tensor(DType::f32, {count}, true);
  const auto values = tensor.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = table.data<float>()[std::to_integer<std::size_t>(indices[i])];
  return tensor;
}

}  // namespace octavo::formats::ncnn
