#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>

#include "octavo/core/tensor.h"
#include "onnx/external_data.h"

namespace octavo::formats::onnx_file {

/// The tensor's dimensions. Throws Error(bad_model) where one is negative or their product overflows.
Shape decode_shape(const onnx::TensorProto& proto);

/// The tensor's elements, from whichever field holds them; its raw bytes are freed. External bytes are read in
/// place where they are aligned for their type. The type is one that Octavo computes with.
Tensor decode_tensor(onnx::TensorProto& proto, ExternalData& external);

/// Bytes of so many elements in a file: i4 and u4 go two to a byte.
std::uint64_t stored_size(DType dtype, std::uint64_t count);
/// The elements of an i4 or u4 tensor as files have them.
std::string packed(const Tensor& tensor);

/// Type, dimensions and bytes, without a name.
onnx::TensorProto encode_tensor(const Tensor& tensor);
/// The same without the bytes.
onnx::TensorProto encode_tensor_head(const Tensor& tensor);

}  // namespace octavo::formats::onnx_file
