#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/error.h"

namespace octavo {

using ValueId = std::int32_t;
using NodeId = std::int32_t;
/// An optional input or output that is left out.
inline constexpr ValueId kNoValue = -1;
inline constexpr NodeId kNoNode = -1;

/// One dimension: a size, a symbol ("N"), or neither (unknown).
struct Dim {
  static constexpr std::int64_t kUnknown = -1;
  std::int64_t size = kUnknown;
  std::string symbol;

  bool known() const { return size >= 0; }
  friend bool operator==(const Dim&, const Dim&) = default;
};
using Dims = std::vector<Dim>;

/// Something a file format carries and Octavo does not interpret, as the format's own bytes. Only the
/// format named writes it back.
struct Opaque {
  std::string format;
  std::string bytes;
  friend bool operator==(const Opaque&, const Opaque&) = default;
};

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, Opaque>;

/// An operation. Operators mean what ONNX says they mean at the graph's opset.
struct Node {
  std::string name;              ///< may be empty; unique otherwise
  std::string op_type;           ///< "Conv", "QuantizeLinear" …
  std::string domain;            ///< "" is ai.onnx
  std::vector<ValueId> inputs;   ///< kNoValue where an optional one is left out
  std::vector<ValueId> outputs;  ///< kNoValue where an optional one is left out
  std::map<std::string, Attribute, std::less<>> attributes;
  /// Outer values that a subgraph attribute (kept as Opaque) reads by name: uses like any other, but
  /// such a value can be neither renamed nor replaced.
  std::vector<ValueId> captured;
  std::string doc;

  std::int64_t int_or(std::string_view attribute, std::int64_t fallback) const;
  float float_or(std::string_view attribute, float fallback) const;
  std::string string_or(std::string_view attribute, std::string_view fallback) const;
  std::vector<std::int64_t> ints_or(std::string_view attribute, std::vector<std::int64_t> fallback) const;
  std::vector<float> floats_or(std::string_view attribute, std::vector<float> fallback) const;
  /// Null where there is none or it is of another type.
  const Tensor* tensor(std::string_view attribute) const;
  bool has(std::string_view attribute) const { return attributes.find(attribute) != attributes.end(); }

  /// The input's id, or kNoValue where it is left out or beyond the last one.
  ValueId input(std::size_t i) const { return i < inputs.size() ? inputs[i] : kNoValue; }
  ValueId output(std::size_t i) const { return i < outputs.size() ? outputs[i] : kNoValue; }
};

/// A tensor that flows between nodes, comes from outside, or is constant.
struct Value {
  std::string name;  ///< unique in the graph, never empty
  DType dtype = DType::undefined;
  std::optional<Dims> dims;        ///< nothing: the rank is unknown
  std::optional<Tensor> constant;  ///< an initializer
  /// A constant whose bytes are of a type Octavo does not compute with.
  std::optional<Opaque> opaque_constant;
  /// What the file says of the value beyond `dtype`, `dims` and `doc`: that it is a sequence, the name of a type
  /// behind DType::opaque, what a dimension stands for.
  std::optional<Opaque> opaque_type;
  std::string doc;

  bool is_constant() const { return constant.has_value() || opaque_constant.has_value(); }
  /// All dimensions where each is known.
  std::optional<Shape> static_shape() const;
};

/// Our own intermediate representation: a directed acyclic graph of nodes over named values. Copying is
/// cheap for constants (they are shared) and deep for the rest. Ids stay valid until the thing is removed
/// and are never used again.
class Graph {
 public:
  // --- what the file said about itself; kept from reading to writing -----------------------------
  std::string name;
  std::string doc;
  std::string producer_name;
  std::string producer_version;
  std::string domain;
  std::int64_t model_version = 0;
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t, std::less<>> opsets;  ///< domain → version; "" is ai.onnx
  std::vector<std::pair<std::string, std::string>> metadata;
  std::map<std::string, Opaque, std::less<>> extras;  ///< functions, training info …, by the format's own key

  /// Version of the default operator set; 0 where the graph names none.
  std::int64_t opset() const;

  // --- values ------------------------------------------------------------------------------------
  // An id that was never given out or whose value or node is gone: Error(internal), in every call.
  /// Throws Error(invalid_argument) where the name is empty or taken.
  ValueId add_value(std::string name, DType dtype = DType::undefined, std::optional<Dims> dims = std::nullopt);
  ValueId add_constant(std::string name, Tensor tensor);
  /// For all but the name, which `rename_value` changes. The reference lasts until a value is added.
  Value& value(ValueId id);
  const Value& value(ValueId id) const;
  std::optional<ValueId> find_value(std::string_view name) const;
  /// Throws Error(invalid_argument) where the new name is taken, Error(unsupported) where a subgraph
  /// captures the value.
  void rename_value(ValueId id, std::string name);
  /// `base`, or `base_1`, `base_2` … : the first that no value has.
  std::string unique_value_name(std::string_view base) const;
  std::string unique_node_name(std::string_view base) const;
  /// The constant tensor behind the id; null for kNoValue, for non-constants and for opaque ones.
  const Tensor* constant(ValueId id) const;
  /// Live values in order of creation.
  std::vector<ValueId> values() const;

  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  void set_inputs(std::vector<ValueId> inputs);
  void set_outputs(std::vector<ValueId> outputs);
  bool is_input(ValueId id) const;
  bool is_output(ValueId id) const;

  // --- nodes -------------------------------------------------------------------------------------
  /// Adds `node` before `before` in the order of `nodes()`, or last. Throws Error(invalid_argument) where
  /// an output already has a producer, is a constant or a graph input, or the name is taken.
  NodeId add_node(Node node, NodeId before = kNoNode);
  const Node& node(NodeId id) const;
  /// For name, attributes and doc; inputs and outputs are changed by the calls below, which keep the uses.
  /// The reference lasts until the next call that is not const.
  Node& mutable_node(NodeId id);
  void set_input(NodeId id, std::size_t index, ValueId value);
  void set_inputs_of(NodeId id, std::vector<ValueId> inputs);
  void set_outputs_of(NodeId id, std::vector<ValueId> outputs);
  void remove_node(NodeId id);
  bool contains_node(NodeId id) const;
  /// Live nodes in a stored order that is topological after `sort()`.
  std::vector<NodeId> nodes() const;

  /// The node that computes the value, or kNoNode for inputs and constants.
  NodeId producer(ValueId id) const;
  /// Nodes that read the value, each once, in order of id; captured reads included.
  std::vector<NodeId> consumers(ValueId id) const;
  /// Reads of the value, each counted: graph outputs and captured reads count.
  std::size_t use_count(ValueId id) const;
  /// Makes all readers of `from`, graph outputs apart, read `to`. Throws Error(unsupported) where a
  /// subgraph captures `from`.
  void replace_uses(ValueId from, ValueId to);
  bool is_captured(ValueId id) const;

  /// Removes nodes whose outputs nobody reads, then values that nobody reads, writes or lists as input.
  void remove_dead();
  /// Puts `nodes()` in topological order, as stable as can be. Throws Error(bad_model) naming a node
  /// of a cycle.
  void sort();
  /// Throws Error(bad_model) where an invariant does not hold: names unique, every use recorded, one
  /// producer a value, no cycle. Tests call it after every pass.
  void check() const;

 private:
  struct Slot {  // a value with its uses
    Value value;
    NodeId producer = kNoNode;
    std::map<NodeId, std::size_t> consumers;  // reads by each node, captured ones included
    std::size_t reads = 0;                    // sum of the above and of the times it is a graph output
    std::size_t captures = 0;
    bool is_input = false;
    bool is_output = false;
    bool live = true;
  };
  struct NodeSlot {  // a node and its place in the order, a doubly linked list: inserting is cheap anywhere
    Node node;
    NodeId previous = kNoNode;
    NodeId next = kNoNode;
    bool live = true;
  };
  Slot& slot(ValueId id);
  const Slot& slot(ValueId id) const;
  NodeSlot& node_slot(NodeId id);
  const NodeSlot& node_slot(NodeId id) const;
  void read(ValueId id, NodeId reader);
  void unread(ValueId id, NodeId reader);
  void write(const std::vector<ValueId>& outputs, NodeId writer);
  void unwrite(const std::vector<ValueId>& outputs);
  void link(NodeId id, NodeId before);
  void unlink(NodeId id);
  void relink(const std::vector<NodeId>& order);
  void index_touched_name();
  bool node_name_taken(std::string_view name) const;
  std::vector<NodeId> topological_order() const;
  [[noreturn]] void report_cycle(const std::vector<std::size_t>& waiting) const;
  void check_value(ValueId id) const;
  void check_uses() const;

  std::vector<Slot> values_;
  std::vector<NodeSlot> nodes_;
  NodeId first_ = kNoNode;
  NodeId last_ = kNoNode;
  std::map<std::string, ValueId, std::less<>> value_by_name_;
  // May be stale where `mutable_node` changed a name: a hit counts only if the node still has that name,
  // and the one node handed out last is looked at itself.
  std::map<std::string, NodeId, std::less<>> node_by_name_;
  NodeId touched_ = kNoNode;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
};

/// "Conv 'fire2/squeeze'" or "Conv writing 'y'" where the node has no name: for messages.
std::string describe(const Graph& graph, NodeId node);
/// The name by which configurations and reports know a node: its own or, where it has none, that of the first value it
/// computes.
std::string_view name_of_node(const Graph& graph, NodeId node);

/// Reads the text form (docs/graph_text.md). Throws Error(bad_model) with line and column.
Graph parse_graph(std::string_view text);
/// Writes the text form; parse_graph gives the same graph again. Constants above `max_constant` elements
/// are shortened to type and shape (such text cannot be parsed back).
std::string to_text(const Graph& graph, std::size_t max_constant = static_cast<std::size_t>(-1));

/// Sorts, and fills dtype and dims of every value that can be known from inputs and constants, keeping symbols.
/// What it cannot infer stays unknown; a contradiction throws Error(bad_model) naming the node.
void infer_shapes(Graph& graph);

/// Geometry of convolution and pooling along one spatial dimension, the one place that knows auto_pad
/// and ceil_mode.
struct Window {
  std::int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0, output = 0;
};
/// From a node's attributes; `kernel` are the spatial sizes of the kernel, `input` of the input. Throws
/// Error(bad_model) for sizes that give no output or attributes that contradict each other.
std::vector<Window> window_geometry(const Node& node, std::span<const std::int64_t> kernel,
                                    std::span<const std::int64_t> input);
/// The same for ConvTranspose (output_padding, output_shape). `output` may be up to stride - 1 more than the
/// kernel reaches: elements that get the bias alone.
std::vector<Window> transposed_window_geometry(const Node& node, std::span<const std::int64_t> kernel,
                                               std::span<const std::int64_t> input);

}  // namespace octavo
