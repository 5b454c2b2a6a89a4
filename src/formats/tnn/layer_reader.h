#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/graph.h"
#include "tnn/content.h"

namespace octavo::formats::tnn {

using Attributes = std::map<std::string, Attribute, std::less<>>;

/// Scales of a blob, one or one a channel, with their zero points.
struct BlobScale {
  std::vector<float> scale;
  std::vector<std::int8_t> zero_point;

  bool per_channel() const { return scale.size() > 1; }
};

/// The graph that layers are added to, one after the other. Blobs are values by the names they have at that time: a
/// layer may compute a blob anew.
class GraphBuilder {
 public:
  explicit GraphBuilder(std::vector<Resource> resources);

  void add_input(const Input& input);
  /// As a layer that runs in integers reads it, or any other one. Throws Error(bad_model) where nobody computes it.
  ValueId blob(const std::string& name, bool quantized);
  /// What a layer computes.
  void set_blob(const std::string& name, ValueId value, bool quantized);
  /// Null where the file has none.
  const Resource* resource(const std::string& name) const;
  /// Throws Error(bad_model) where the blob has none.
  BlobScale blob_scale(const std::string& blob) const;

  ValueId constant(const std::string& base, Tensor tensor);
  /// A node with one output, whose type and shape are inferred.
  ValueId add(const std::string& name, std::string_view op_type, std::vector<ValueId> inputs, Attributes attributes);
  /// QuantizeLinear and DequantizeLinear; the scales of several channels lie along dimension 1.
  ValueId add_pair(ValueId value, const BlobScale& scale);
  /// DequantizeLinear of constant integers.
  ValueId add_dequantized(const std::string& base, Tensor integers, const std::vector<float>& scale, std::int64_t axis);

  const Graph& graph() const { return graph_; }
  Graph finish(const std::vector<std::string>& outputs);

 private:
  struct Blob {
    ValueId value = kNoValue;
    ValueId restored = kNoValue;  ///< behind its pair, where somebody reads integers
    bool integer = false;         ///< computed in integers: nobody reads the float
  };
  Blob& find(const std::string& name);
  /// `base` with how often it was asked for before, so that many equal names are found different ones quickly.
  std::string numbered(const std::string& base);
  void infer(ValueId output, const Node& node);

  Graph graph_;
  std::vector<Resource> resources_;
  std::map<std::string, std::size_t, std::less<>> resource_by_name_;
  std::map<std::string, Blob, std::less<>> blobs_;
  std::map<std::string, std::size_t, std::less<>> names_;
};

/// One layer on its way into the graph. Errors name it.
class LayerReader {
 public:
  LayerReader(GraphBuilder& builder, const Layer& layer) : builder_(builder), layer_(layer) {}

  const Layer& layer() const { return layer_; }
  bool quantized() const { return layer_.quantized; }
  GraphBuilder& builder() { return builder_; }

  std::size_t inputs() const { return layer_.inputs.size(); }
  ValueId input(std::size_t i = 0);
  BlobScale input_scale() const { return builder_.blob_scale(layer_.inputs.front()); }
  /// Nothing where a dimension is open.
  std::optional<Shape> shape(ValueId value) const { return builder_.graph().value(value).static_shape(); }
  /// Null where the file has none.
  const Resource* resource() const { return builder_.resource(layer_.name); }
  const Resource& required_resource() const;

  std::size_t params() const { return layer_.params.size(); }
  /// Throws Error(bad_model) where there is none and no `fallback`, or where it is none or beyond ±2^31.
  std::int64_t integer(std::size_t i, std::optional<std::int64_t> fallback = std::nullopt) const;
  /// As `integer`, within these limits.
  std::int64_t integer_within(std::size_t i, std::int64_t least, std::int64_t most,
                              std::optional<std::int64_t> fallback = std::nullopt) const;
  float number(std::size_t i, std::optional<float> fallback = std::nullopt) const;
  /// A count at `at` and as many integers; `at` is behind them afterwards.
  std::vector<std::int64_t> counted(std::size_t& at) const;

  ValueId add(std::string_view op_type, std::vector<ValueId> inputs, Attributes attributes = {});
  ValueId constant(Tensor tensor) { return builder_.constant(layer_.name, std::move(tensor)); }
  ValueId integers(const std::vector<std::int64_t>& values);
  ValueId scalar(float value) { return constant(Tensor::scalar(value)); }
  void result(ValueId value, std::size_t output = 0);

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  [[noreturn]] void error(ErrorCode code, const std::string& what) const;

  GraphBuilder& builder_;
  const Layer& layer_;
};

/// Adds one layer. Throws Error(bad_model) or Error(unsupported) naming it.
void read_layer(LayerReader& in);

// Families of layers; the table is in read_layer.cc.
void read_convolution(LayerReader& in);
void read_deconvolution(LayerReader& in);
void read_inner_product(LayerReader& in);
void read_pooling(LayerReader& in);
void read_pad(LayerReader& in);
void read_pad_v2(LayerReader& in);
void read_upsample(LayerReader& in);
void read_pixel_shuffle(LayerReader& in);
void read_reshape(LayerReader& in);
void read_flatten(LayerReader& in);
void read_permute(LayerReader& in);
void read_concat(LayerReader& in);
void read_softmax(LayerReader& in);
void read_squeeze(LayerReader& in);
void read_strided_slice(LayerReader& in);
void read_strided_slice_v2(LayerReader& in);
void read_reduce(LayerReader& in);
void read_binary(LayerReader& in);
void read_unary(LayerReader& in);
void read_copies(LayerReader& in);
void read_relu6(LayerReader& in);
void read_clip(LayerReader& in);
void read_elu(LayerReader& in);
void read_hard_sigmoid(LayerReader& in);
void read_hard_swish(LayerReader& in);
void read_prelu(LayerReader& in);
void read_batch_norm(LayerReader& in);
void read_const(LayerReader& in);

}  // namespace octavo::formats::tnn
