#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "integer_layers.h"
#include "layer.h"
#include "octavo/formats.h"
#include "octavo/graph.h"

namespace octavo::formats::ncnn {

/// Thrown while a node is written that ncnn has no layer for; becomes an UnsupportedNode.
struct NoLayer {
  std::string reason;
};

inline constexpr std::size_t kNoBatch = static_cast<std::size_t>(-1);

/// Names of a .param file: no blanks, at most 255 characters, no two the same.
class Names {
 public:
  std::string unique(std::string_view wanted);

 private:
  std::set<std::string, std::less<>> taken_;
  std::map<std::string, int, std::less<>> next_;  // number by name
};

/// The layers of a float graph with its integer convolutions and linear operators, while they are made.
///
/// ncnn has no batch dimension: a value of dimensions [1, c, h, w] is a blob of c, h, w, and axis i there is axis
/// i - 1 here. Blobs have one to four dimensions. Where the batch is not the first dimension, as in [h, 1, c], it is
/// left out where it is, and a value without a dimension of one element is a blob of all its dimensions.
class LayerWriter {
 public:
  /// `graph` has no pairs, is sorted and has its shapes inferred. All of them must outlive the writer.
  LayerWriter(const Graph& graph, const std::map<NodeId, IntegerLayer>& integers);

  /// One layer for each graph input.
  void write_inputs();
  /// The layers of one node. Throws NoLayer.
  void write(NodeId id);
  /// What was written, with Split layers where several read a blob, and shape hints.
  std::vector<Layer> finish();

  // --- for the writers of single operators ---------------------------------------------------------
  const Graph& graph() const { return graph_; }
  const Node& node(NodeId id) const { return graph_.node(id); }

  /// A layer that reads inputs and writes outputs of the node, by default its first ones; named after the node.
  Layer& add(std::string_view type, NodeId id);
  Layer& add(std::string_view type, NodeId id, std::span<const ValueId> inputs, std::span<const ValueId> outputs);
  /// A layer before another one of the same node, whose result no value of the graph stands for. Returns its blob.
  std::string add_before(Layer layer, NodeId id, std::vector<std::string> bottoms);

  /// The same behind another layer of the node, which writes `between`; it writes `result`.
  void add_behind(Layer layer, NodeId id, const std::string& between, const std::string& result);
  /// The layer added last.
  Layer& last() { return layers_.back(); }
  /// Lets the layer write a blob that no value of the graph stands for. Returns it.
  std::string rename_top(Layer& layer);

  /// The name under which layers read the value; a constant becomes a MemoryData layer of `rank` dimensions.
  std::string blob(ValueId value);
  /// For a reader whose other operand leaves out dimension `batch`.
  std::string constant_blob(ValueId value, std::size_t rank, std::size_t batch = 0);

  /// Dimensions of the blob, outermost first; throws NoLayer where they are not all known.
  Shape blob_shape(ValueId value) const;
  /// How many it has: 1 to 4; throws NoLayer otherwise.
  std::size_t blob_rank(ValueId value) const;
  /// The dimension of one element that the blob leaves out: the first where it is one, another where a Transpose has
  /// moved the batch; kNoBatch where none is, and the blob has them all.
  std::size_t batch_of(ValueId value) const;
  /// The value's dimensions without that one.
  Shape without_batch(ValueId value, const Shape& shape) const;
  /// An ONNX axis of the value as one of the blob. Throws NoLayer for the batch.
  int blob_axis(ValueId value, std::int64_t axis) const;

  /// A constant input of f32, or null where it is left out. Throws NoLayer where it is no constant.
  const Tensor* optional_constant(NodeId id, std::size_t input) const;
  const Tensor& constant(NodeId id, std::size_t input) const;
  /// An int64 constant input, or else the attribute; empty where there is neither.
  std::vector<std::int64_t> ints(NodeId id, std::size_t input, std::string_view attribute) const;

  const IntegerLayer* integer(NodeId id) const;
  /// The scale of the integers that all readers of the value want, which must be int8 convolutions; 0 where they are
  /// not, or the value leaves the graph.
  float common_scale(ValueId value) const;

  /// Where an activation that ncnn fuses alone reads the node's result: sets its parameters of the layer, and makes the
  /// layer write what the activation computes.
  void fuse_activation(NodeId id, Layer& layer);
  /// What the node's layer writes, the fused activation included.
  ValueId result_of(NodeId id) const;

 private:
  void find_batches();
  std::string name_of_value(ValueId value);
  NodeId fusable_reader(NodeId id) const;
  void require_blobs(NodeId id) const;

  const Graph& graph_;
  const std::map<NodeId, IntegerLayer>& integers_;
  Names layer_names_;
  Names blob_names_;
  std::map<ValueId, std::string> blobs_;
  std::map<std::string, std::vector<std::int64_t>, std::less<>> shapes_;  // of blobs whose dimensions are known
  std::set<NodeId> fused_;
  std::map<ValueId, std::size_t> batches_;  // where it is not the first dimension
  std::vector<Layer> layers_;
};

/// One operator that ncnn has layers for.
struct WriteRule {
  std::string_view op_type;
  void (*write)(LayerWriter& writer, NodeId id);
};
std::span<const WriteRule> convolution_rules();
std::span<const WriteRule> pooling_rules();
std::span<const WriteRule> elementwise_rules();
std::span<const WriteRule> normalization_rules();
std::span<const WriteRule> layout_rules();

/// How ncnn fuses the activation into the layer before: its type 1 to 6 and parameters. Type 0: it does not.
struct Activation {
  int type = 0;
  std::vector<float> params;
};
Activation activation_of(const Graph& graph, const Node& node);

}  // namespace octavo::formats::ncnn
