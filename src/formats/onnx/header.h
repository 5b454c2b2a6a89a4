#pragma once

#include <onnx/onnx_pb.h>

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// "" and "ai.onnx" name the same domain.
inline std::string normalized_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

/// What the file says about itself, and what is kept of it without being understood, which is moved out of
/// `model`. Throws Error(unsupported) for versions that are not read, Error(bad_model) where they contradict.
void decode_header(onnx::ModelProto& model, Graph& graph);

/// The inverse: a model with a graph of no values and nodes. Throws Error(invalid_argument) without operator sets.
onnx::ModelProto encode_header(const Graph& graph);

}  // namespace octavo::formats::onnx_file
