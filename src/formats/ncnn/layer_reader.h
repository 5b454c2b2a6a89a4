#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bin.h"
#include "layer.h"
#include "octavo/graph.h"

namespace octavo::formats::ncnn {

/// The value that stands for a blob: its dimensions are those of the blob behind a batch of 1.
struct ReadBlob {
  ValueId value = kNoValue;
  int dims = 0;  ///< of the blob, 1 to 4; 0: not known
  /// A blob of one dimension, from global pooling, whose value is [1, c, 1, 1]: convolutions and broadcasting take it
  /// so.
  bool pooled = false;
  /// The value comes from integers: convolutions read it as it is.
  bool integer = false;
  std::int64_t outermost = -1;  ///< size of the first dimension, -1: not known
};

/// A graph while it is made from layers.
class LayerReader {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, Attribute>>;

  explicit LayerReader(std::span<const std::byte> weights);

  /// Throws Error(bad_model) or Error(unsupported) naming the layer.
  Graph read(std::span<const Layer> layers);

  // --- for the readers of single layers ----------------------------------------------------------
  BinReader& bin() { return bin_; }
  Graph& graph() { return graph_; }

  /// The layer's input, of which there must be that many or more.
  const ReadBlob& bottom(const Layer& layer, std::size_t i = 0) const;
  /// The same as a value of one dimension more than the blob.
  ValueId plain(const ReadBlob& blob);
  /// Throws Error(unsupported) where the blob's dimensions are not known or not these.
  void require_dims(const ReadBlob& blob, int least, int most) const;
  /// Sizes of the blob, outermost first. Throws Error(unsupported) where one is not known.
  Shape shape_of(const ReadBlob& blob);

  /// A node of ONNX. Returns its first output.
  ValueId emit(const Layer& layer, std::string_view op_type, std::vector<ValueId> inputs, Attributes attributes = {});
  std::vector<ValueId> emit_several(const Layer& layer, std::string_view op_type, std::vector<ValueId> inputs,
                                    std::size_t outputs, Attributes attributes = {});
  ValueId constant(const Layer& layer, std::string_view suffix, Tensor tensor);
  ValueId ints(const Layer& layer, std::string_view suffix, const std::vector<std::int64_t>& values);

  /// The layer's output `i` is this. A value that it computed gets the blob's name.
  void finish(const Layer& layer, ReadBlob blob, std::size_t i = 0);
  /// The same for a layer that keeps what its input is like.
  void finish_like(const Layer& layer, const ReadBlob& input, ValueId value);
  /// Readers of the layer's output get this instead of what it was finished with, which keeps the blob's name.
  void replace(const Layer& layer, const ReadBlob& blob) { blobs_[layer.tops.front()] = blob; }

  /// The value after QuantizeLinear and DequantizeLinear to int8 with `scale` integers a unit, one pair for all who
  /// ask for the same.
  ValueId pair(const Layer& layer, ValueId value, float scale);

  [[noreturn]] static void refuse(const std::string& what);      ///< Error(unsupported)
  [[noreturn]] static void contradict(const std::string& what);  ///< Error(bad_model)

 private:
  void read_layer(std::span<const Layer> layers, std::size_t i);
  void read_input(std::span<const Layer> layers, std::size_t i);
  void set_outputs(std::span<const Layer> layers);

  BinReader bin_;
  Graph graph_;
  std::map<std::string, ReadBlob, std::less<>> blobs_;
  std::set<ValueId> named_;  // values that have a blob's name
  std::map<std::pair<ValueId, float>, ValueId> pairs_;
  int shape_requests_ = 0;
};

/// One type of layers that can be read.
struct ReadRule {
  std::string_view type;
  void (*read)(LayerReader& reader, const Layer& layer);
};
std::span<const ReadRule> convolution_readers();
std::span<const ReadRule> one_dimension_readers();
std::span<const ReadRule> pooling_readers();
std::span<const ReadRule> elementwise_readers();
std::span<const ReadRule> normalization_readers();
std::span<const ReadRule> layout_readers();

/// What parameters 9 and 10 of a layer fuse into it: the activation's result, or `value` itself.
ValueId read_activation(LayerReader& reader, const Layer& layer, ValueId value);

/// Checks that a size of a file is from `least` to `most`.
std::int64_t checked(std::string_view what, std::int64_t size, std::int64_t least, std::int64_t most);

}  // namespace octavo::formats::ncnn
