#include "onnx/header.h"

#include <algorithm>

#include "onnx/attribute_codec.h"
#include "onnx/extras.h"
#include "onnx/place.h"
#include "onnx/versions.h"

namespace octavo::formats::onnx_file {
namespace {

constexpr std::int64_t kOldestIrVersion = 3;
constexpr std::int64_t kNewestIrVersion = 99;  // beyond it the number is no version

void check_versions(const onnx::ModelProto& model, const Graph& graph) {
  const std::int64_t ir_version = model.ir_version();
  if (!model.has_ir_version() || ir_version < 1 || ir_version > kNewestIrVersion) {
    bad_model("its IR version is {}: this is no ONNX model", ir_version);
  }
  if (ir_version < kOldestIrVersion) {
    unsupported("its IR version is {}; {} and later are read: export it anew", ir_version, kOldestIrVersion);
  }
  if (graph.opsets.empty()) bad_model("it imports no operator set");
  const auto it = graph.opsets.find("");
  if (it != graph.opsets.end() && (it->second < kOldestOpset || it->second > kNewestOpset)) {
    unsupported("it uses operator set {} of ai.onnx; {} to {} are read: export it with one of these", it->second,
                kOldestOpset, kNewestOpset);
  }
}

void decode_opsets(const onnx::ModelProto& model, Graph& graph) {
  for (const auto& opset : model.opset_import()) {
    const auto [it, is_new] = graph.opsets.try_emplace(normalized_domain(opset.domain()), opset.version());
    if (!is_new && it->second != opset.version()) {
      bad_model("it imports the operator sets {} and {} of the domain {}", it->second, opset.version(),
                shown(it->first));
    }
  }
}

void keep_extras(onnx::ModelProto& model, Graph& graph) {
  onnx::ModelProto kept;
  kept.mutable_training_info()->Swap(model.mutable_training_info());
  kept.mutable_functions()->Swap(model.mutable_functions());
  kept.mutable_unknown_fields()->Swap(model.mutable_unknown_fields());
  if (kept.ByteSizeLong() > 0) graph.extras.emplace(kModelExtras, keep(kept));

  onnx::GraphProto kept_graph;
  kept_graph.mutable_quantization_annotation()->Swap(model.mutable_graph()->mutable_quantization_annotation());
  kept_graph.mutable_unknown_fields()->Swap(model.mutable_graph()->mutable_unknown_fields());
  // Graph::doc is the model's.
  if (model.graph().has_doc_string()) kept_graph.set_doc_string(model.graph().doc_string());
  if (kept_graph.ByteSizeLong() > 0) graph.extras.emplace(kGraphExtras, keep(kept_graph));
}

void merge_extra(const Graph& graph, std::string_view key, google::protobuf::Message& message) {
  const auto it = graph.extras.find(key);
  if (it == graph.extras.end() || it->second.format != kFormatName) return;
  if (!message.MergeFromString(it->second.bytes)) bad_model("the bytes kept as {} are no ONNX", it->first);
}

}  // namespace

void decode_header(onnx::ModelProto& model, Graph& graph) {
  decode_opsets(model, graph);
  check_versions(model, graph);
  graph.ir_version = model.ir_version();
  graph.producer_name = model.producer_name();
  graph.producer_version = model.producer_version();
  graph.domain = model.domain();
  graph.model_version = model.model_version();
  graph.doc = model.doc_string();
  graph.name = model.graph().name();
  for (const auto& entry : model.metadata_props()) graph.metadata.emplace_back(entry.key(), entry.value());
  keep_extras(model, graph);
}

onnx::ModelProto encode_header(const Graph& graph) {
  if (graph.opsets.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("graph '{}' names no operator set: none can be written", graph.name));
  }
  onnx::ModelProto model;
  model.set_ir_version(std::max(graph.ir_version, lowest_ir_version(graph.opset())));
  for (const auto& [domain, version] : graph.opsets) {
    auto& opset = *model.add_opset_import();
    opset.set_domain(domain);
    opset.set_version(version);
  }
  if (!graph.producer_name.empty()) model.set_producer_name(graph.producer_name);
  if (!graph.producer_version.empty()) model.set_producer_version(graph.producer_version);
  if (!graph.domain.empty()) model.set_domain(graph.domain);
  if (!graph.doc.empty()) model.set_doc_string(graph.doc);
  if (graph.model_version != 0) model.set_model_version(graph.model_version);
  for (const auto& [key, value] : graph.metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  merge_extra(graph, kModelExtras, model);
  merge_extra(graph, kGraphExtras, *model.mutable_graph());
  model.mutable_graph()->set_name(graph.name);
  return model;
}

}  // namespace octavo::formats::onnx_file
