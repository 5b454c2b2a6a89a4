#include "onnx/versions.h"

#include <onnx/onnx_pb.h>

#include <array>
#include <utility>

namespace octavo::formats::onnx_file {
namespace {

using onnx::TensorProto;

// TensorProto.UINT4 and INT4 of ONNX 1.16, which older libraries have no names for.
constexpr std::int32_t kUint4 = 21;
constexpr std::int32_t kInt4 = 22;

constexpr std::array<std::pair<std::int32_t, DType>, 15> kTypes = {{
    {TensorProto::FLOAT, DType::f32},
    {TensorProto::DOUBLE, DType::f64},
    {TensorProto::FLOAT16, DType::f16},
    {TensorProto::BFLOAT16, DType::bf16},
    {TensorProto::INT8, DType::i8},
    {TensorProto::UINT8, DType::u8},
    {TensorProto::INT16, DType::i16},
    {TensorProto::UINT16, DType::u16},
    {TensorProto::INT32, DType::i32},
    {TensorProto::UINT32, DType::u32},
    {TensorProto::INT64, DType::i64},
    {TensorProto::UINT64, DType::u64},
    {TensorProto::BOOL, DType::boolean},
    {kUint4, DType::u4},
    {kInt4, DType::i4},
}};

// First operator set of each IR version: docs/Versioning.md of ONNX.
constexpr std::array<std::pair<std::int64_t, std::int64_t>, 7> kIrVersions = {
    {{21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}, {0, 4}}};

}  // namespace

DType dtype_of_element(std::int32_t element_type) {
  for (const auto& [type, dtype] : kTypes) {
    if (type == element_type) return dtype;
  }
  return element_type == TensorProto::UNDEFINED ? DType::undefined : DType::opaque;
}

std::int32_t element_type_of(DType dtype) {
  for (const auto& [type, known] : kTypes) {
    if (known == dtype) return type;
  }
  return TensorProto::UNDEFINED;
}

std::int64_t lowest_ir_version(std::int64_t opset) {
  for (const auto& [first_opset, ir_version] : kIrVersions) {
    if (opset >= first_opset) return ir_version;
  }
  return kIrVersions.back().second;
}

}  // namespace octavo::formats::onnx_file
