#include "tensor_file.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "octavo/error.h"

namespace octavo::onnx_node {
namespace {

using onnx::TensorProto;

DType dtype_of_proto(std::int32_t type) {
  switch (type) {
    case TensorProto::FLOAT:
      return DType::f32;
    case TensorProto::DOUBLE:
      return DType::f64;
    case TensorProto::FLOAT16:
      return DType::f16;
    case TensorProto::BFLOAT16:
      return DType::bf16;
    case TensorProto::INT8:
      return DType::i8;
    case TensorProto::UINT8:
      return DType::u8;
    case TensorProto::INT16:
      return DType::i16;
    case TensorProto::UINT16:
      return DType::u16;
    case TensorProto::INT32:
      return DType::i32;
    case TensorProto::UINT32:
      return DType::u32;
    case TensorProto::INT64:
      return DType::i64;
    case TensorProto::UINT64:
      return DType::u64;
    case TensorProto::BOOL:
      return DType::boolean;
    case 21:  // TensorProto.UINT4 and INT4 of newer libraries
      return DType::u4;
    case 22:
      return DType::i4;
    default:
      return DType::opaque;
  }
}

/// int32_data holds all types of up to 32 bits but float, each in a number of its own.
void unpack_int32(const TensorProto& proto, std::size_t element, std::byte* target) {
  for (const std::int32_t value : proto.int32_data()) {
    std::memcpy(target, &value, element);  // little-endian: the low bytes come first
    target += element;
  }
}

template <typename Field>
void copy_field(const Field& field, std::byte* target) {
  if (!field.empty()) std::memcpy(target, field.data(), static_cast<std::size_t>(field.size()) * sizeof(*field.data()));
}

/// Two elements to a byte, the low half first, in raw_data or in the low bytes of int32_data.
Tensor read_pairs(const TensorProto& proto, DType dtype, const std::filesystem::path& path) {
  std::string bytes = proto.raw_data();
  for (const std::int32_t pair : proto.int32_data()) bytes.push_back(static_cast<char>(pair));
  Tensor tensor(dtype, Shape(proto.dims().begin(), proto.dims().end()));
  const auto count = static_cast<std::size_t>(tensor.size());
  if (bytes.size() != (count + 1) / 2) {
    throw Error(ErrorCode::bad_data, fmt::format("'{}' holds {} pairs", path.string(), bytes.size()));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const int half = (static_cast<unsigned char>(bytes[i / 2]) >> (i % 2 * 4)) & 15;
    tensor.mutable_bytes()[i] = static_cast<std::byte>(dtype == DType::i4 && half > 7 ? half - 16 : half);
  }
  return tensor;
}

}  // namespace

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file) throw Error(ErrorCode::io, fmt::format("'{}' cannot be read", path.string()));
  return bytes.str();
}

Tensor read_tensor_file(const std::filesystem::path& path, std::int32_t declared) {
  const std::string name = path.filename().string();
  TensorProto proto;
  if (!proto.ParseFromString(read_bytes(path)))
    throw Error(ErrorCode::bad_data, fmt::format("'{}' is no tensor", name));
  if (declared == TensorProto::BFLOAT16 && proto.data_type() == TensorProto::UINT16) proto.set_data_type(declared);
  const DType dtype = dtype_of_proto(proto.data_type());
  if (dtype == DType::opaque) {
    throw Error(ErrorCode::unsupported, fmt::format("'{}' holds type {}, which Octavo does not compute with", name,
                                                    TensorProto::DataType_Name(proto.data_type())));
  }
  if (is_4_bit(dtype)) return read_pairs(proto, dtype, path);
  Tensor tensor(dtype, Shape(proto.dims().begin(), proto.dims().end()));
  std::byte* target = tensor.mutable_bytes();
  const std::size_t stored =
      proto.raw_data().size() / size_of(dtype) +
      static_cast<std::size_t>(proto.float_data_size() + proto.double_data_size() + proto.int32_data_size() +
                               proto.int64_data_size() + proto.uint64_data_size());
  if (stored != static_cast<std::size_t>(tensor.size()))
    throw Error(ErrorCode::bad_data, fmt::format("'{}' holds {} elements", path.string(), stored));
  if (!proto.raw_data().empty())
    std::memcpy(target, proto.raw_data().data(), proto.raw_data().size());
  else if (dtype == DType::f32)
    copy_field(proto.float_data(), target);
  else if (dtype == DType::f64)
    copy_field(proto.double_data(), target);
  else if (dtype == DType::i64)
    copy_field(proto.int64_data(), target);
  else if (dtype == DType::u64)
    copy_field(proto.uint64_data(), target);
  else if (dtype == DType::u32)
    for (const std::uint64_t value : proto.uint64_data()) std::memcpy(std::exchange(target, target + 4), &value, 4);
  else
    unpack_int32(proto, size_of(dtype), target);
  return tensor;
}

}  // namespace octavo::onnx_node
