#pragma once

#include <onnx/onnx_pb.h>

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// Fills dtype, dims and doc; where the proto says more than they hold (a sequence, a float8, a denotation) it is
/// kept as `opaque_type`. Throws Error(bad_model).
void decode_value_info(const onnx::ValueInfoProto& proto, Value& value);

/// What decode_value_info read, updated with the value's name, doc, dtype and dims.
onnx::ValueInfoProto encode_value_info(const Value& value);

}  // namespace octavo::formats::onnx_file
