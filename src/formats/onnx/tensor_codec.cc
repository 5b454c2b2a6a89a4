#include "onnx/tensor_codec.h"

#include <bit>
#include <cstdint>
#include <cstring>

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

template <typename Element, typename Stored>
Tensor from_field(DType dtype, Shape shape, std::int64_t count, const char* field,
                  const google::protobuf::RepeatedField<Stored>& stored) {
  if (stored.size() != count) {
    bad_model("its shape has {} elements, but {} holds {} and there is no raw_data", count, field, stored.size());
  }
  return narrowed<Element>(dtype, std::move(shape), stored);
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
  if (dtype != DType::boolean && byte_size > 0 && address % size_of(dtype) == 0) {
    return {dtype, std::move(shape), std::shared_ptr<const std::byte>(found.owner, found.bytes.data())};
  }
  external.count_copy(byte_size);
  return copied(dtype, std::move(shape), found.bytes.data());
}

}  // namespace

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
  const std::uint64_t byte_size = count * size_of(dtype);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return decode_external(proto, dtype, std::move(shape), byte_size, external);
  }
  if (!proto.has_raw_data()) return decode_typed(proto, dtype, std::move(shape), static_cast<std::int64_t>(count));
  if (proto.raw_data().size() != byte_size) {
    bad_model("its shape and type need {} bytes, but raw_data has {}", byte_size, proto.raw_data().size());
  }
  Tensor tensor = copied(dtype, std::move(shape), proto.raw_data().data());
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
  proto.set_raw_data(tensor.bytes(), tensor.byte_size());
  return proto;
}

}  // namespace octavo::formats::onnx_file
