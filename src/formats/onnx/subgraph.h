#pragma once

#include <onnx/onnx_pb.h>

#include <set>
#include <string>

#include "onnx/external_data.h"

namespace octavo::formats::onnx_file {

/// Adds the names of outer values that the attribute's subgraphs read, at any depth.
void collect_outer_reads(const onnx::AttributeProto& attribute, std::set<std::string>& names);

/// Copies external data of all tensors in the attribute, subgraphs included, into them: kept as bytes they would
/// refer to a file that a copy of the model elsewhere does not have.
void embed_external_data(onnx::AttributeProto& attribute, ExternalData& external);

}  // namespace octavo::formats::onnx_file
