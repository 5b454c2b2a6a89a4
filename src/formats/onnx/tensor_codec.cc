#include "onnx/tensor_codec.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "onnx/place.h"
#include "onnx/versions.h"

namespace octavo::formats::onnx_file {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and copied as it is");

// data<bool>() of a byte that is neither 0 nor 1 would be undefined.
void normalize_booleans(Tensor& tensor) {
  auto* const bytes = reinterpret_cast<std::uint8_t*>(tensor.mutable_bytes());
  for (std::size_t i = 0; i < tensor.byte_size(); ++i) bytes[i] = bytes[i] != 0 ? 1 : 0;
}

Tensor copied(DType dtype, Shape shape, const void* bytes) {
  Tensor tensor(dtype, std::move(shape), true);
  if (tensor.byte_size() > 0) std::memcpy(tensor.mutable_bytes(), bytes, tensor.byte_size());
  if (dtype == DType::boolean) normalize_booleans(tensor);
  return tensor;
}

// Small types are stored in wider ones: the low bits count.
template <typename Element, typename Stored>
Tensor narrowed(DType dtype, Shape shape, const google::protobuf::RepeatedField<Stored>& stored) {
  Tensor tensor(dtype, std::move(shape), true);
  auto* const elements = reinterpret_cast<Element*>(tensor.mutable_bytes());
  for (int i = 0; i < stored.size(); ++i) elements[i] = static_cast<Element>(stored.Get(i));
  if (dtype == DType::boolean) normalize_booleans(tensor);
  return tensor;
}

// ONNX's low half of a byte comes first; of an odd number of elements the last high half is padding.
Tensor unpacked(DType dtype, Shape shape, std::span<const std::uint8_t> bytes) {
  Tensor tensor(dtype, std::move(shape), true);
  auto* const elements = reinterpret_cast<std::uint8_t*>(tensor.mutable_bytes());
  for (std::size_t i = 0; i < tensor.byte_size(); ++i) {
    const auto half = static_cast<std::uint8_t>(i % 2 == 0 ? bytes[i / 2] & 0xFU : bytes[i / 2] >> 4U);
    const bool negative = dtype == DType::i4 && half >= 8;
    elements[i] = negative ? static_cast<std::uint8_t>(half | 0xF0U) : half;
  }
  return tensor;
}

template <typename Element, typename Stored>
Tensor from_field(DType dtype, Shape shape, std::int64_t count, const char* field,
                  const google::protobuf::RepeatedField<Stored>& stored) {
  if (stored.size() != count) {
    bad_model("its shape has {} elements, but {} holds {} and there is no raw_data", count, field, stored.size());
  }
  return narrowed<Element>(dtype, std::move(shape), stored);
}

// A pair of elements in each number of int32_data.
Tensor from_pairs(DType dtype, Shape shape, std::uint64_t bytes, const onnx::TensorProto& proto) {
  if (static_cast<std::uint64_t>(proto.int32_data_size()) != bytes) {
    bad_model("its shape has {} pairs of elements, but int32_data holds {} and there is no raw_data", bytes,
              proto.int32_data_size());
  }
  std::vector<std::uint8_t> pairs;
  pairs.reserve(static_cast<std::size_t>(bytes));
  for (const std::int32_t pair : proto.int32_data()) pairs.push_back(static_cast<std::uint8_t>(pair));
  return unpacked(dtype, std::move(shape), pairs);
}

Tensor decode_typed(const onnx::TensorProto& proto, DType dtype, Shape shape, std::int64_t count) {
  switch (dtype) {
    case DType::f32:
      return from_field<float>(dtype, std::move(shape), count, "float_data", proto.float_data());
    case DType::f64:
      return from_field<double>(dtype, std::move(shape), count, "double_data", proto.double_data());
    case DType::i64:
      return from_field<std::int64_t>(dtype, std::move(shape), count, "int64_data", proto.int64_data());
    case DType::u64:
      return from_field<std::uint64_t>(dtype, std::move(shape), count, "uint64_data", proto.uint64_data());
    case DType::u32:
      return from_field<std::uint32_t>(dtype, std::move(shape), count, "uint64_data", proto.uint64_data());
    case DType::i32:
      return from_field<std::int32_t>(dtype, std::move(shape), count, "int32_data", proto.int32_data());
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16:
      return from_field<std::uint16_t>(dtype, std::move(shape), count, "int32_data", proto.int32_data());
    default:
      return from_field<std::uint8_t>(dtype, std::move(shape), count, "int32_data", proto.int32_data());
  }
}

Tensor decode_external(const onnx::TensorProto& proto, DType dtype, Shape shape, std::uint64_t byte_size,
                       ExternalData& external) {
  const ExternalBytes found = external.find(proto, byte_size);
  const auto address = reinterpret_cast<std::uintptr_t>(found.bytes.data());
  if (is_4_bit(dtype)) {
    external.count_copy(2 * byte_size);
    return unpacked(dtype, std::move(shape),
                    {reinterpret_cast<const std::uint8_t*>(found.bytes.data()), found.bytes.size()});
  }
  if (dtype != DType::boolean && byte_size > 0 && address % size_of(dtype) == 0) {
    return {dtype, std::move(shape), std::shared_ptr<const std::byte>(found.owner, found.bytes.data())};
  }
  external.count_copy(byte_size);
  return copied(dtype, std::move(shape), found.bytes.data());
}

}  // namespace

std::uint64_t stored_size(DType dtype, std::uint64_t count) {
  return is_4_bit(dtype) ? count / 2 + count % 2 : count * size_of(dtype);
}

std::string packed(const Tensor& tensor) {
  std::string bytes(static_cast<std::size_t>(stored_size(tensor.dtype(), tensor.byte_size())), '\0');
  const auto* const elements = reinterpret_cast<const std::uint8_t*>(tensor.bytes());
  for (std::size_t i = 0; i < tensor.byte_size(); ++i) {
    const unsigned half = elements[i] & 0xFU;
    bytes[i / 2] = static_cast<char>(static_cast<unsigned char>(bytes[i / 2]) | (i % 2 == 0 ? half : half << 4U));
  }
  return bytes;
}

Shape decode_shape(const onnx::TensorProto& proto) {
  if (proto.dims_size() > kMostDimensions) {
    unsupported("it has {} dimensions, more than {}", proto.dims_size(), kMostDimensions);
  }
  Shape shape(proto.dims().begin(), proto.dims().end());
  for (const std::int64_t dim : shape) {
    if (dim < 0) bad_model("it has the dimension {}", dim);
  }
  if (!checked_element_count(shape)) bad_model("the product of its dimensions overflows");
  return shape;
}

Tensor decode_tensor(onnx::TensorProto& proto, ExternalData& external) {
  const DType dtype = dtype_of_element(proto.data_type());
  Shape shape = decode_shape(proto);
  const auto count = static_cast<std::uint64_t>(element_count(shape));
  if (proto.has_segment()) unsupported("it is stored in segments");
  // Half of the range leaves room for alignment and for sums with other sizes.
  if (count > (std::uint64_t{1} << 62) / size_of(dtype)) bad_model("its size in bytes overflows");
  const std::uint64_t byte_size = stored_size(dtype, count);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return decode_external(proto, dtype, std::move(shape), byte_size, external);
  }
  if (!proto.has_raw_data() && is_4_bit(dtype)) return from_pairs(dtype, std::move(shape), byte_size, proto);
  if (!proto.has_raw_data()) return decode_typed(proto, dtype, std::move(shape), static_cast<std::int64_t>(count));
  if (proto.raw_data().size() != byte_size) {
    bad_model("its shape and type need {} bytes, but raw_data has {}", byte_size, proto.raw_data().size());
  }
  const auto* const raw = reinterpret_cast<const std::uint8_t*>(proto.raw_data().data());
  Tensor tensor = is_4_bit(dtype) ? unpacked(dtype, std::move(shape), {raw, proto.raw_data().size()})
                                  : copied(dtype, std::move(shape), raw);
  std::string().swap(*proto.mutable_raw_data());  // clearing it would keep the memory
  return tensor;
}

onnx::TensorProto encode_tensor_head(const Tensor& tensor) {
  onnx::TensorProto proto;
  for (const std::int64_t dim : tensor.shape()) proto.add_dims(dim);
  proto.set_data_type(element_type_of(tensor.dtype()));
  return proto;
}

onnx::TensorProto encode_tensor(const Tensor& tensor) {
  onnx::TensorProto proto = encode_tensor_head(tensor);
  if (is_4_bit(tensor.dtype())) {
    proto.set_raw_data(packed(tensor));
  } else {
    proto.set_raw_data(tensor.bytes(), tensor.byte_size());
  }
  return proto;
}

}  // namespace octavo::formats::onnx_file
