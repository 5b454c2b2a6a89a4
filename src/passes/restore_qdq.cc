#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "f32_constant.h"
#include "octavo/core/rounding.h"
#include "octavo/error.h"
#include "octavo/passes.h"
#include "qoperator_forms.h"
#include "restore_fake_quantize.h"

namespace octavo {
namespace {

using passes::QOperatorForm;

constexpr std::string_view kMicrosoft = "com.microsoft";

/// Integers with the constants that say what they stand for.
struct Integers {
  ValueId values = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;  ///< kNoValue: 0
  std::int64_t axis = 0;          ///< where there are several scales

  friend bool operator<(const Integers& a, const Integers& b) {
    return std::tie(a.values, a.scale, a.zero_point, a.axis) < std::tie(b.values, b.scale, b.zero_point, b.axis);
  }
};

bool is_linear(const Node& node) {
  return (node.domain.empty() || node.domain == kMicrosoft) &&
         (node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear");
}

class Restorer {
 public:
  explicit Restorer(Graph& graph) : graph_(graph) {}

  int run() {
    graph_.sort();
    int changes = 0;
    for (const NodeId id : graph_.nodes()) {
      if (const QOperatorForm* form = passes::qoperator_form(graph_.node(id))) {
        changes += restore(id, *form) ? 1 : 0;
      } else if (is_linear(graph_.node(id))) {
        changes += adopt(id) ? 1 : 0;
      } else {
        changes += move(id) ? 1 : 0;
      }
    }
    return changes;
  }

 private:
  /// Pairs of the domain com.microsoft mean what those of ai.onnx do. What one quantizes is known from then on.
  bool adopt(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op_type == "QuantizeLinear") note_integers(node.output(0), node.input(1), node.input(2));
    if (node.domain.empty()) return false;
    graph_.mutable_node(id).domain.clear();
    return true;
  }

  /// For whoever hands the integers on: with one scale, and 8 bits.
  void note_integers(ValueId integers, ValueId scale, ValueId zero_point) {
    const Tensor* zero = graph_.constant(zero_point);
    const bool bytes =
        zero != nullptr && zero->size() == 1 && (zero->dtype() == DType::u8 || zero->dtype() == DType::i8);
    if (integers != kNoValue && is_single(scale) && (bytes || zero_point == kNoValue))
      known_[integers] = {integers, scale, zero_point};
  }

  bool is_single(ValueId scale) const {
    const Tensor* constant = passes::f32_constant(graph_, scale);
    return constant != nullptr && constant->size() == 1;
  }

  ValueId new_value(const std::string& base, std::string_view suffix, DType dtype, const std::optional<Dims>& dims) {
    return graph_.add_value(graph_.unique_value_name(fmt::format("{}_{}", base, suffix)), dtype, dims);
  }

  /// The floats that integers stand for, by one DequantizeLinear for all readers.
  ValueId real(const Integers& integers) {
    const auto found = reals_.find(integers);
    if (found != reals_.end()) return found->second;
    const Value source = graph_.value(integers.values);
    Node node;
    node.name = graph_.unique_node_name(source.name + "_DequantizeLinear");
    node.op_type = "DequantizeLinear";
    node.inputs = {integers.values, integers.scale};
    if (integers.zero_point != kNoValue) node.inputs.push_back(integers.zero_point);
    if (!is_single(integers.scale)) node.attributes["axis"] = integers.axis;
    node.outputs = {new_value(source.name, "dequantized", DType::f32, source.dims)};
    graph_.add_node(node);
    reals_.emplace(integers, node.outputs[0]);
    return node.outputs[0];
  }

  /// A float that QuantizeLinear turns into the integers `output`, whose node is gone.
  ValueId real_before(ValueId output, ValueId scale, ValueId zero_point) {
    const Value source = graph_.value(output);
    const ValueId floats = new_value(source.name, "float", DType::f32, source.dims);
    Node node;
    node.name = graph_.unique_node_name(source.name + "_QuantizeLinear");
    node.op_type = "QuantizeLinear";
    node.inputs = {floats, scale};
    if (zero_point != kNoValue) node.inputs.push_back(zero_point);
    node.outputs = {output};
    graph_.add_node(std::move(node));
    note_integers(output, scale, zero_point);
    return floats;
  }

  // --- operators ---------------------------------------------------------------------------------
  std::vector<Integers> operands(const Node& node, const QOperatorForm& form) const {
    std::vector<Integers> operands;
    const std::size_t count =
        form.operands > 0 ? form.operands : (node.inputs.size() - std::min(form.first, node.inputs.size())) / 3;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = form.first + 3 * i;
      Integers one{node.input(at), node.input(at + 1), node.input(at + 2)};
      const bool constant = passes::f32_constant(graph_, one.scale) != nullptr;
      if (one.values == kNoValue || !constant) return {};
      if (!is_single(one.scale)) {
        const auto axis = passes::scales_axis(graph_, node, i, one.values);
        if (!axis) return {};
        one.axis = *axis;
      }
      operands.push_back(one);
    }
    return operands;
  }

  /// int32 sums have the product of both operands' scales as their unit.
  std::optional<ValueId> bias(const Node& node, const QOperatorForm& form, const std::vector<Integers>& operands) {
    const ValueId integers = form.bias == 0 ? kNoValue : node.input(form.bias);
    if (integers == kNoValue) return kNoValue;
    const auto x = passes::f32_constant(graph_, operands[0].scale)->data<float>();
    const auto w = passes::f32_constant(graph_, operands[1].scale)->data<float>();
    if (x.size() != 1) return std::nullopt;
    const float alpha = node.float_or("alpha", 1.0F);
    std::vector<float> units;
    for (const float scale : w) units.push_back(alpha * x[0] * scale);
    const Shape shape = units.size() == 1 ? Shape{} : Shape{static_cast<std::int64_t>(units.size())};
    const std::string name = graph_.unique_value_name(graph_.value(integers).name + "_scale");
    const ValueId scale = graph_.add_constant(name, Tensor::from<float>(shape, std::span<const float>(units)));
    return real({integers, scale, kNoValue, 0});
  }

  bool restore(NodeId id, const QOperatorForm& form) {
    const Node quantized = graph_.node(id);
    if (quantized.output(0) == kNoValue || !passes::is_restorable(quantized, graph_.opset())) return false;
    const auto read = operands(quantized, form);
    if (read.empty()) return false;
    const ValueId result_scale = quantized.input(form.result);
    if (result_scale == kNoValue ? !form.float_result : passes::f32_constant(graph_, result_scale) == nullptr) {
      return false;
    }
    const auto sum = bias(quantized, form, read);
    if (!sum) return false;
    Node node = quantized;
    node.op_type = form.float_type;
    node.domain.clear();
    for (const std::string_view attribute : {"channels_last", "opset"}) {
      if (const auto found = node.attributes.find(attribute); found != node.attributes.end()) {
        node.attributes.erase(found);
      }
    }
    node.inputs.clear();
    for (const Integers& one : read) node.inputs.push_back(real(one));
    if (*sum != kNoValue) node.inputs.push_back(*sum);
    graph_.remove_node(id);
    if (result_scale != kNoValue) {
      node.outputs = {real_before(quantized.output(0), result_scale, quantized.input(form.result + 1))};
    }
    graph_.add_node(std::move(node));
    return true;
  }

  // --- what moves integers about -----------------------------------------------------------------
  const Integers* known(ValueId id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? nullptr : &found->second;
  }

  AffineMap map_of(const Integers& integers) const {
    AffineMap map;
    map.scale = passes::f32_constant(graph_, integers.scale)->data<float>()[0];
    const Tensor* zero = graph_.constant(integers.zero_point);
    if (zero != nullptr && zero->dtype() == DType::u8) map.zero_point = zero->data<std::uint8_t>()[0];
    if (zero != nullptr && zero->dtype() == DType::i8) map.zero_point = zero->data<std::int8_t>()[0];
    return map;
  }

  /// Limits of Clip and the fill of Pad are integers of the same meaning; a fill left out is the integer 0.
  bool restore_scalars(Node& node, const Integers& integers) {
    constexpr std::int64_t kOpsetOfInputs = 11;  // before, these were attributes
    const bool pads = node.op_type == "Pad";
    if (!pads && node.op_type != "Clip") return true;
    if (graph_.opset() < kOpsetOfInputs) return false;
    if (pads) node.inputs.resize(std::max<std::size_t>(node.inputs.size(), 3), kNoValue);
    for (std::size_t i = pads ? 2 : 1; i < std::min<std::size_t>(node.inputs.size(), 3); ++i) {
      std::int32_t number = 0;
      if (node.inputs[i] != kNoValue) {
        const Tensor* constant = graph_.constant(node.inputs[i]);
        if (constant == nullptr || constant->size() != 1) return false;
        if (constant->dtype() != DType::u8 && constant->dtype() != DType::i8) return false;
        number = constant->dtype() == DType::u8 ? constant->data<std::uint8_t>()[0] : constant->data<std::int8_t>()[0];
      } else if (!pads) {
        continue;
      }
      const std::string name = graph_.unique_value_name(graph_.value(node.outputs[0]).name + "_number");
      node.inputs[i] = graph_.add_constant(name, Tensor::scalar(dequantize_value(number, map_of(integers))));
    }
    return true;
  }

  bool same_meaning(const Integers& a, const Integers& b) const {
    const AffineMap x = map_of(a);
    const AffineMap y = map_of(b);
    return x.scale == y.scale && x.zero_point == y.zero_point;
  }

  bool move(NodeId id) {
    Node node = graph_.node(id);
    if (!passes::moves_integers(node) || node.output(0) == kNoValue) return false;
    const Integers* first = known(node.input(0));
    if (first == nullptr) return false;
    const Integers source = *first;
    const std::size_t data = node.op_type == "Concat" ? node.inputs.size() : 1;
    for (std::size_t i = 1; i < data; ++i) {
      const Integers* other = known(node.input(i));
      if (other == nullptr || !same_meaning(source, *other)) return false;
    }
    if (!restore_scalars(node, source)) return false;
    for (std::size_t i = 0; i < data; ++i) node.inputs[i] = real(*known(node.inputs[i]));
    graph_.remove_node(id);
    const std::size_t results = node.op_type == "Split" ? node.outputs.size() : 1;
    for (std::size_t i = 0; i < results; ++i) {
      if (node.outputs[i] != kNoValue) node.outputs[i] = real_before(node.outputs[i], source.scale, source.zero_point);
    }
    graph_.add_node(std::move(node));
    return true;
  }

  Graph& graph_;
  std::map<Integers, ValueId> reals_;
  std::map<ValueId, Integers> known_;  // integers in flight
};

bool wide(const Graph& graph, ValueId id) {
  const DType dtype = id == kNoValue ? DType::undefined : graph.value(id).dtype;
  return dtype == DType::i16 || dtype == DType::u16 || dtype == DType::i4 || dtype == DType::u4;
}

/// What DequantizeLinear and QuantizeLinear of ai.onnx need for the operators that will stand between them.
std::int64_t opset_for(const Graph& graph) {
  constexpr std::int64_t kFirst = 10;
  constexpr std::int64_t kOfAxes = 13;
  constexpr std::int64_t kOfFewBits = 21;
  std::int64_t opset = passes::opset_of_fake_quantize(graph);
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const bool foreign_pair = node.domain == kMicrosoft && is_linear(node);
    if (passes::qoperator_form(node) == nullptr && !foreign_pair) continue;
    opset = std::max(opset, kFirst);
    if (foreign_pair && (wide(graph, node.input(0)) || wide(graph, node.input(2)))) opset = kOfFewBits;
    for (const ValueId input : node.inputs) {
      const Tensor* constant = passes::f32_constant(graph, input);
      if (constant != nullptr && constant->size() > 1) opset = std::max(opset, kOfAxes);
    }
  }
  return opset;
}

}  // namespace

int restore_qdq(Graph& graph) {
  const std::int64_t opset = opset_for(graph);
  if (opset == 0) return 0;
  upgrade_opset(graph, opset);
  const int fakes = passes::opset_of_fake_quantize(graph) > 0 ? passes::restore_fake_quantize(graph) : 0;
  const int changes = fakes + Restorer(graph).run();
  graph.sort();
  graph.remove_dead();
  const auto nodes = graph.nodes();
  for (const std::string_view domain : {kMicrosoft, passes::kOpenVinoDomain}) {
    const bool empty =
        std::none_of(nodes.begin(), nodes.end(), [&](NodeId id) { return graph.node(id).domain == domain; });
    if (empty) graph.opsets.erase(std::string(domain));
  }
  infer_shapes(graph);
  return changes;
}

}  // namespace octavo
