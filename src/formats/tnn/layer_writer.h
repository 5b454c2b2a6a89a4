#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/graph.h"
#include "tnn/content.h"
#include "tnn/graph_view.h"

namespace octavo::formats::tnn {

/// Why a node cannot be written. Thrown within the writer alone, which lists all of them.
struct Refusal {
  std::string reason;
};

/// A model on its way into files.
class ModelWriter {
 public:
  ModelWriter(const Graph& graph, Version version);

  /// All nodes that cannot be written.
  std::vector<UnsupportedNode> write_layers();
  /// The two files' content, complete where no node was refused.
  const Proto& proto() const { return proto_; }
  /// In TNN's order: before a layer's own the scales of its input blobs, behind it those of its outputs.
  std::vector<Resource> resources() const;

 private:
  friend class LayerWriter;
  void write_inputs();
  void write_node(NodeId id);
  void check_outputs(std::vector<UnsupportedNode>& refused) const;

  GraphView view_;
  Proto proto_;
  std::map<std::string, Resource, std::less<>> by_layer_;
  std::map<std::string, Resource, std::less<>> scales_;  ///< by blob
  std::set<ValueId> integer_;                            ///< sources that integer layers compute
  /// Of these, those that have no pair of their own but that behind an activation.
  std::set<ValueId> before_activation_;
  std::set<NodeId> fused_;
  std::set<std::string, std::less<>> layer_names_;
};

/// Where a node that reads integers ends in integers: with its own output, or with that of an activation behind it.
struct IntegerEnd {
  ValueId value = kNoValue;
  NodeId activation = kNoNode;
};

/// One node on its way into layers.
class LayerWriter {
 public:
  LayerWriter(ModelWriter& model, NodeId id) : model_(model), id_(id) {}

  const Graph& graph() const { return model_.view_.graph(); }
  const GraphView& view() const { return model_.view_; }
  Version version() const { return model_.proto_.version; }
  const Node& node() const { return graph().node(id_); }
  ValueId input(std::size_t i = 0) const { return node().input(i); }
  ValueId output() const { return node().output(0); }
  /// Refuses where it is not known.
  Shape shape(ValueId value) const;
  /// Refuses where it is no float constant.
  Tensor floats(ValueId value, const char* what) const;
  std::vector<std::int64_t> integers(std::size_t input, std::string_view attribute, const char* what) const;
  /// Counted from the front.
  std::int64_t axis(std::int64_t axis, std::size_t rank) const;

  /// Whether all values come out of pairs.
  bool reads_integers(const std::vector<ValueId>& values) const;
  /// Nothing where floats leave the node.
  std::optional<IntegerEnd> integer_end(ValueId output) const;

  /// A layer in float, named after the node and `suffix`. `output` is a value or, where a further layer of this node
  /// alone reads it, kNoValue: then the blob has the layer's name, which is returned.
  std::string add_float(std::string_view type, const std::vector<std::string>& inputs, std::vector<std::string> params,
                        ValueId output, std::optional<Resource> resource = {}, std::string_view suffix = {});
  /// The same that reads values.
  void add(std::string_view type, const std::vector<ValueId>& inputs, std::vector<std::string> params,
           std::optional<Resource> resource = {});
  /// A layer in integers. Blobs get their pairs' scales.
  void add_integer(std::string_view type, const std::vector<std::string>& inputs, std::vector<std::string> params,
                   const IntegerEnd& end, std::optional<Resource> resource = {});
  /// The activation is done by this node's layer.
  void fuse(NodeId activation) { model_.fused_.insert(activation); }
  /// The name of the blob, for a layer that reads floats; refuses to leave a rounding out.
  std::string float_blob(ValueId value) const;
  /// The same for one that reads integers.
  std::string integer_blob(ValueId value);
  /// Whether an integer layer computes what this node reads, whose pair is behind this node.
  bool reads_before_activation(ValueId value) const { return model_.before_activation_.contains(value); }
  void set_scale(const std::string& blob, const QParams& params);

  [[noreturn]] void refuse(std::string reason) const { throw Refusal{std::move(reason)}; }

 private:
  std::string layer_name(std::string_view suffix);

  ModelWriter& model_;
  NodeId id_;
};

/// Numbers as the text has them.
std::string text_of(float number);
std::vector<std::string> texts_of(const std::vector<std::int64_t>& numbers);

/// Writes one node. Throws Refusal.
void write_layer(LayerWriter& out);

// Families of operators; the table is in write_layer.cc.
void write_conv(LayerWriter& out);
void write_conv_transpose(LayerWriter& out);
void write_gemm(LayerWriter& out);
void write_matmul(LayerWriter& out);
void write_pool(LayerWriter& out);
void write_global_pool(LayerWriter& out);
void write_pad(LayerWriter& out);
void write_resize(LayerWriter& out);
void write_depth_to_space(LayerWriter& out);
void write_reshape(LayerWriter& out);
void write_flatten(LayerWriter& out);
void write_transpose(LayerWriter& out);
void write_concat(LayerWriter& out);
void write_softmax(LayerWriter& out);
void write_slice(LayerWriter& out);
void write_split(LayerWriter& out);
void write_gather(LayerWriter& out);
void write_log_softmax(LayerWriter& out);
void write_reduce(LayerWriter& out);
void write_binary(LayerWriter& out);
void write_power(LayerWriter& out);
void write_unary(LayerWriter& out);
void write_relu(LayerWriter& out);
void write_clip(LayerWriter& out);
void write_elu(LayerWriter& out);
void write_hard_sigmoid(LayerWriter& out);
void write_hard_swish(LayerWriter& out);
void write_prelu(LayerWriter& out);
void write_leaky_relu(LayerWriter& out);
void write_batch_norm(LayerWriter& out);

/// Limits of a Clip of any opset, what is left out as the largest float; nothing where they are no constants.
struct ClipLimits {
  float min = 0.0F;
  float max = 0.0F;
};
std::optional<ClipLimits> clip_limits(const GraphView& view, const Node& node);

}  // namespace octavo::formats::tnn
