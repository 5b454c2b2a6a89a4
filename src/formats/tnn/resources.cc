#include "tnn/resources.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "octavo/error.h"
#include "tnn/layer_types.h"

namespace octavo::formats::tnn {
namespace {

constexpr std::int32_t kMostResources = 10000;    // TNN refuses as many
constexpr std::uint32_t kCountMask = 0x1FFFFFFF;  // what TNN takes of the number of resources
constexpr std::int32_t kMostDims = 16;

/// TNN's number of a type; kTypes[number].
constexpr std::array kTypes = {DType::f32, DType::f16, DType::i8, DType::i32, DType::bf16, DType::i64, DType::u32};

std::int32_t number_of(DType dtype) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes.at(i) == dtype) return static_cast<std::int32_t>(i);
  }
  throw Error(ErrorCode::internal, fmt::format("TNN has no constants of type {}", name_of(dtype)));
}

/// Little-endian numbers, strings and buffers, each checked against what is left.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size() - at_; }
  /// For messages.
  void enter(std::string place) { place_ = std::move(place); }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::bad_model, fmt::format("{} at byte {}: {}", place_, at_, what));
  }

  std::span<const std::byte> take(std::size_t count) {
    if (count > left()) fail(fmt::format("it goes on for {} bytes, but {} are left", count, left()));
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }

  std::uint32_t u32() {
    std::uint32_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::int32_t i32() { return std::bit_cast<std::int32_t>(u32()); }

  std::size_t length(const char* what) {
    const std::int32_t value = i32();
    if (value < 0 || static_cast<std::size_t>(value) > left()) {
      fail(fmt::format("{} has a length of {}, but {} bytes are left", what, value, left()));
    }
    return static_cast<std::size_t>(value);
  }

  std::string string() {
    const auto bytes = take(length("a name"));
    std::string text(bytes.size(), '\0');
    if (!text.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
    return text;
  }

  Buffer buffer() {
    const std::uint32_t magic = u32();
    const std::int32_t type = i32();
    const std::size_t bytes = length("an array");
    if (type < 0 || static_cast<std::size_t>(type) >= kTypes.size()) fail(fmt::format("an array has type {}", type));
    const DType dtype = kTypes.at(static_cast<std::size_t>(type));
    Buffer result;
    result.data = Tensor(dtype, {0});
    if (bytes == 0) return result;
    if (magic == static_cast<std::uint32_t>(Version::v2)) result.dims = dims();
    if (bytes % size_of(dtype) != 0) fail(fmt::format("{} bytes are no whole number of {}", bytes, name_of(dtype)));
    const auto content = take(bytes);
    result.data = Tensor(dtype, {static_cast<std::int64_t>(bytes / size_of(dtype))}, /*uninitialized=*/true);
    std::memcpy(result.data.mutable_bytes(), content.data(), bytes);
    if (!result.dims.empty() && checked_element_count(result.dims) != result.data.size()) {
      fail(fmt::format("{} elements do not fill [{}]", result.data.size(), fmt::join(result.dims, ",")));
    }
    return result;
  }

 private:
  std::vector<std::int64_t> dims() {
    const std::int32_t rank = i32();
    if (rank < 0 || rank > kMostDims) fail(fmt::format("an array has {} dimensions", rank));
    std::vector<std::int64_t> sizes;
    for (std::int32_t i = 0; i < rank; ++i) sizes.push_back(i32());
    return sizes;
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::string place_ = "its beginning";
};

/// Older files have scales alone: their zero points are 0.
void read_scales(Reader& in, std::vector<Buffer>& buffers) {
  Buffer first = in.buffer();
  if (first.data.dtype() == DType::i8) {
    buffers.push_back(std::move(first));
    buffers.push_back(in.buffer());
  } else {
    Buffer zeros;
    zeros.data = Tensor(DType::i8, {first.data.size()});
    buffers.push_back(std::move(zeros));
    buffers.push_back(std::move(first));
  }
  const Buffer& scale = buffers.back();
  if (scale.data.dtype() != DType::f32 || scale.data.size() != buffers[buffers.size() - 2].data.size()) {
    in.fail("its scales are not f32 or as many as its zero points");
  }
}

void read_payload(Reader& in, Payload payload, Resource& resource) {
  std::vector<Buffer>& buffers = resource.buffers;
  const bool named = payload == Payload::convolution || payload == Payload::inner_product ||
                     payload == Payload::scale || payload == Payload::named_buffer;
  if (named) in.string();
  switch (payload) {
    case Payload::convolution:
    case Payload::scale:
      resource.has_bias = in.i32() != 0;
      buffers.push_back(in.buffer());
      if (resource.has_bias) buffers.push_back(in.buffer());
      break;
    case Payload::inner_product:
    case Payload::two_buffers:
      buffers.push_back(in.buffer());
      buffers.push_back(in.buffer());
      break;
    case Payload::blob_scale:
      read_scales(in, buffers);
      buffers.push_back(in.buffer());
      break;
    case Payload::named_buffer:
    case Payload::one_buffer:
      buffers.push_back(in.buffer());
      break;
    case Payload::none:
    case Payload::unknown:
      break;
  }
  const bool weighted = payload == Payload::convolution || payload == Payload::inner_product;
  if (weighted && buffers.front().data.dtype() == DType::i8) read_scales(in, buffers);
}

Resource read_resource(Reader& in) {
  const std::int32_t number = in.i32();
  std::string type = in.string();
  if (type.starts_with(kQuantized)) type.erase(0, kQuantized.size());
  Resource resource;
  resource.name = in.string();
  in.enter(fmt::format("resource '{}'", resource.name));
  // The name of the type counts; the number only where there is no such name.
  const LayerType* known = layer_type(type);
  if (known == nullptr && type.empty()) known = layer_type(number);
  if (known == nullptr || known->payload == Payload::none) {
    throw Error(ErrorCode::unsupported,
                fmt::format("resource '{}' is of type '{}' ({}), whose constants Octavo cannot read", resource.name,
                            type, number));
  }
  resource.type = known->name;
  read_payload(in, known->payload, resource);
  return resource;
}

/// Constants by name may follow, with a header as the resources have; they are for layers that Octavo does not read.
void skip_constants(Reader& in) {
  if (in.left() == 0) return;
  in.enter("the constants by name");
  in.u32();
  const std::int32_t count = in.i32();
  for (std::int32_t i = 0; i < count; ++i) {
    in.string();
    in.buffer();
  }
}

class Writer {
 public:
  explicit Writer(Version version) : version_(version) {}

  void raw(const void* data, std::size_t count) {
    const auto* const begin = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), begin, begin + count);
  }
  void u32(std::uint32_t value) { raw(&value, sizeof value); }
  void i32(std::int64_t value) { u32(static_cast<std::uint32_t>(value)); }
  void string(std::string_view text) {
    i32(static_cast<std::int64_t>(text.size()));
    raw(text.data(), text.size());
  }
  void buffer(const Buffer& buffer) {
    u32(static_cast<std::uint32_t>(version_));
    i32(number_of(buffer.data.dtype()));
    i32(static_cast<std::int64_t>(buffer.data.byte_size()));
    if (buffer.empty()) return;
    if (version_ == Version::v2) {
      i32(static_cast<std::int64_t>(buffer.dims.size()));
      for (const std::int64_t dim : buffer.dims) i32(dim);
    }
    raw(buffer.data.bytes(), buffer.data.byte_size());
  }

  std::vector<std::byte> bytes;

 private:
  Version version_;
};

void write_resource(Writer& out, const Resource& resource) {
  const LayerType* const type = layer_type(resource.type);
  if (type == nullptr) throw Error(ErrorCode::internal, fmt::format("no layer of TNN is '{}'", resource.type));
  out.i32(type->number);
  out.string(resource.type);
  out.string(resource.name);
  switch (type->payload) {
    case Payload::convolution:
    case Payload::scale:
      out.string(resource.name);
      out.i32(resource.has_bias ? 1 : 0);
      break;
    case Payload::inner_product:
    case Payload::named_buffer:
      out.string(resource.name);
      break;
    default:
      break;
  }
  for (const Buffer& buffer : resource.buffers) out.buffer(buffer);
}

}  // namespace

std::vector<Resource> read_resources(std::span<const std::byte> bytes) {
  Reader in(bytes);
  std::uint32_t first = in.u32();
  if (first == static_cast<std::uint32_t>(Version::v1) || first == static_cast<std::uint32_t>(Version::v2)) {
    first = in.u32();
  }
  const auto count = static_cast<std::int32_t>(first & kCountMask);
  if (count >= kMostResources)
    in.fail(fmt::format("it counts {} resources, of which TNN reads less than {}", count, kMostResources));
  std::vector<Resource> resources;
  for (std::int32_t i = 0; i < count; ++i) {
    in.enter(fmt::format("resource {}", i));
    resources.push_back(read_resource(in));
  }
  skip_constants(in);
  if (in.left() != 0) in.fail(fmt::format("{} bytes are left that belong to nothing", in.left()));
  return resources;
}

std::vector<std::byte> resource_bytes(std::span<const Resource> resources, Version version) {
  Writer out(version);
  out.u32(static_cast<std::uint32_t>(version));
  out.i32(static_cast<std::int64_t>(resources.size()));
  for (const Resource& resource : resources) write_resource(out, resource);
  return std::move(out.bytes);
}

}  // namespace octavo::formats::tnn
