#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/graph.h"

namespace octavo {

/// One element of a small integer tensor that shape arithmetic computes: a number, a symbol's size or unknown.
struct Element {
  std::optional<std::int64_t> value;
  std::string symbol;
};
/// All elements of an integer tensor of rank 0 or 1.
using Content = std::vector<Element>;
using Contents = std::map<ValueId, Content>;

/// Longer tensors are no shapes, and ranks above this no shapes of ours.
inline constexpr std::size_t kMaxContent = 64;

/// What a shape rule sees of its node and how it tells what it found.
class ShapeContext {
 public:
  ShapeContext(Graph& graph, NodeId id, Contents& contents) : graph_(graph), id_(id), contents_(contents) {}

  const Node& node() const { return graph_.node(id_); }
  std::int64_t opset() const { return graph_.opset(); }

  bool has_input(std::size_t i) const { return node().input(i) != kNoValue; }
  /// `undefined` and nothing where the input is left out or unknown.
  DType dtype(std::size_t i) const;
  const std::optional<Dims>& dims(std::size_t i) const;
  /// Null unless something is known of the elements of the input, or it is above kMaxContent.
  const Content* content(std::size_t i);
  /// All elements of a constant integer input.
  std::optional<std::vector<std::int64_t>> integers(std::size_t i);
  /// All elements of a constant f32 input.
  std::optional<std::vector<float>> floats(std::size_t i) const;
  /// The attribute where the node has it, else the elements of input `i`: operators moved from one to the other.
  std::optional<std::vector<std::int64_t>> integers(std::string_view attribute, std::size_t i);

  /// Refines what is known of output `i`. Dimensions that contradict what was declared replace it, as in the runtimes:
  /// exporters miscount the ranks of outputs, and who changes a batch leaves the old one there. Another type fails.
  void set(std::size_t output, DType dtype, std::optional<Dims> dims);
  void set_content(std::size_t output, Content content);

  /// Throws Error(bad_model) naming the node.
  [[noreturn]] void fail(std::string_view what) const;

  // --- dimensions; all of these fail on a contradiction or overflow ---------------------------------
  /// A possibly negative axis as an index below `rank`.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;
  /// Each once, none beyond `rank`; flags by dimension.
  std::vector<bool> axes(std::span<const std::int64_t> axes, std::size_t rank) const;
  Dim known_dim(std::int64_t size) const;
  /// Both say the same dimension: the better of the two.
  Dim merge(const Dim& a, const Dim& b) const;
  Dims merge(const Dims& a, const Dims& b) const;
  Dim broadcast(const Dim& a, const Dim& b) const;
  /// Nothing where one of them is unknown.
  std::optional<Dims> broadcast(const std::optional<Dims>& a, const std::optional<Dims>& b) const;
  Dim add(const Dim& a, const Dim& b) const;
  Dim multiply(const Dim& a, const Dim& b) const;
  Dim divide(const Dim& a, std::int64_t divisor) const;
  /// The better of two types; both `undefined` gives `undefined`.
  DType merge(DType a, DType b) const;

 private:
  Graph& graph_;
  NodeId id_;
  Contents& contents_;
};

Dim dim_of(const Element& element);
Element element_of(const Dim& dim);

struct ShapeRule {
  std::string_view op_type;
  void (*infer)(ShapeContext& context);
};

std::span<const ShapeRule> elementwise_shape_rules();
std::span<const ShapeRule> normalization_shape_rules();
std::span<const ShapeRule> quantization_shape_rules();
std::span<const ShapeRule> window_shape_rules();
std::span<const ShapeRule> matmul_shape_rules();
std::span<const ShapeRule> layout_shape_rules();
std::span<const ShapeRule> selection_shape_rules();
std::span<const ShapeRule> resize_shape_rules();
std::span<const ShapeRule> reduction_shape_rules();
std::span<const ShapeRule> constant_shape_rules();

/// Operators that compute shapes: follows the elements of their small integer outputs.
void propagate_content(ShapeContext& context);

}  // namespace octavo
