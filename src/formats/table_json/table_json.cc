#include "table_json/table_json.h"

#include <fmt/format.h>

#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "json_text.h"
#include "octavo/core/rounding.h"
#include "qdq.h"

namespace octavo::formats {
namespace {

constexpr int kVersion = 1;

/// As ONNX and NumPy call it.
std::string type_name(DType dtype) {
  const std::string_view name = name_of(dtype);  // "u8"
  return fmt::format("{}int{}", name.front() == 'u' ? "u" : "", name.substr(1));
}

std::string list(std::size_t count, const std::function<std::string(std::size_t)>& item) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + item(i);
  return text + "]";
}

std::string entry(const std::string& name, const QParams& params) {
  const std::size_t count = params.scale.size();
  const auto real = [&](std::int32_t integer) {
    return list(count, [&params, integer](std::size_t i) {
      return json_number(dequantize_value(integer, affine_map(params, i)));
    });
  };
  std::string text =
      fmt::format("    {{\"name\": {}, \"type\": \"{}\", ", json_string(name), type_name(params.storage));
  text += fmt::format("\"axis\": {}, \"group_size\": {},\n",
                      params.axis == QScheme::kPerTensor ? "null" : fmt::format("{}", params.axis), params.group_size);
  text +=
      fmt::format("     \"scale\": {},\n", list(count, [&](std::size_t i) { return json_number(params.scale[i]); }));
  text += fmt::format("     \"zero_point\": {},\n",
                      list(count, [&](std::size_t i) { return fmt::format("{}", params.zero_point[i]); }));
  text += fmt::format("     \"quant_min\": {}, \"quant_max\": {},\n", params.quant_min, params.quant_max);
  return text + fmt::format("     \"float_min\": {},\n     \"float_max\": {}}}", real(params.quant_min),
                            real(params.quant_max));
}

/// The value before the Clip that keeps integers of few bits within their limits, where there is one, and these limits.
std::string limited(const Graph& graph, ValueId value, std::string name, QParams& params) {
  const NodeId producer = graph.producer(value);
  if (producer == kNoNode || !is_standard(graph.node(producer), "Clip") || params.scale.size() != 1) return name;
  const Node& clip = graph.node(producer);
  const Tensor* low = graph.constant(clip.input(1));
  const Tensor* high = graph.constant(clip.input(2));
  for (const Tensor* limit : {low, high}) {
    if (limit == nullptr || limit->dtype() != DType::f32 || limit->size() != 1) return name;
  }
  const AffineMap map = affine_map(params, 0);
  params.quant_min = quantize_value(low->data<float>()[0], map);
  params.quant_max = quantize_value(high->data<float>()[0], map);
  const std::string& before = graph.value(clip.input(0)).name;
  return name.starts_with(before + "_clipped") ? before : name;
}

/// The constant's name in the float model: writers append to it, ours and ONNX Runtime's.
std::string source_name(std::string name) {
  for (const std::string_view suffix : {"_q", "_quantized"}) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

std::string object(std::string_view key, const std::vector<std::string>& entries) {
  return entries.empty() ? fmt::format("  \"{}\": []", key)
                         : fmt::format("  \"{}\": [\n{}\n  ]", key, fmt::join(entries, ",\n"));
}

}  // namespace

std::string quantization_table(const Graph& quantized) {
  Graph graph = quantized;
  store_integers(graph);
  std::vector<std::string> activations;
  std::vector<std::string> constants;
  std::set<ValueId> seen;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const bool quantizes = is_standard(node, "QuantizeLinear");
    if (!quantizes && !is_standard(node, "DequantizeLinear")) continue;
    auto params = linear_params(graph, node);
    const ValueId source = node.input(0);
    if (!params || source == kNoValue) continue;
    if (quantizes) {
      const std::string name = limited(graph, source, std::string(float_name(graph, id)), *params);
      activations.push_back(entry(name, *params));
    } else if (graph.constant(source) != nullptr && seen.insert(source).second) {
      constants.push_back(entry(source_name(graph.value(source).name), *params));
    }
  }
  return fmt::format(
      "{{\n  \"format\": \"octavo quantization table\",\n  \"version\": {},\n  \"model\": {},\n{},\n{}\n}}\n", kVersion,
      json_string(graph.name), object("activations", activations), object("constants", constants));
}

}  // namespace octavo::formats
