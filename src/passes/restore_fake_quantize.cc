#include "restore_fake_quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "f32_constant.h"
#include "linear_nodes.h"
#include "octavo/error.h"

namespace octavo::passes {
namespace {

constexpr std::int64_t kMostLevels = 256;

bool is_fake_quantize(const Node& node) { return node.domain == kOpenVinoDomain && node.op_type == "FakeQuantize"; }

/// Lowest and highest real of one channel, and what of the levels stands for zero.
struct Levels {
  float low = 0.0F;
  float high = 0.0F;
  std::int32_t zero = 0;
};

/// The float that gives both limits when multiplied by its steps from zero. A quotient of rounded limits is a last bit
/// or two off.
float scale_of(const Levels& limits, std::int64_t levels) {
  const auto steps = static_cast<double>(levels - 1);
  const auto nearest = static_cast<float>((double{limits.high} - double{limits.low}) / steps);
  const auto below = static_cast<float>(-limits.zero);
  const auto above = static_cast<float>(levels - 1 - limits.zero);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float up = std::nextafter(nearest, kInfinity);
  const float down = std::nextafter(nearest, 0.0F);
  for (const float scale : {nearest, up, down, std::nextafter(up, kInfinity), std::nextafter(down, 0.0F)}) {
    if (below * scale == limits.low && above * scale == limits.high) return scale;
  }
  return nearest;
}

class Restorer {
 public:
  explicit Restorer(Graph& graph) : graph_(graph), linear_(graph) {}

  int run() {
    infer_dims();
    int changes = 0;
    for (const NodeId id : graph_.nodes()) {
      if (!is_fake_quantize(graph_.node(id))) continue;
      restore(id);
      ++changes;
    }
    return changes;
  }

 private:
  [[noreturn]] void refuse(NodeId id, const std::string& found) const {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: {}; read are FakeQuantize nodes that QuantizeLinear and DequantizeLinear can say: "
                            "constant limits of float, the same for input and output, with zero on one of 2 to {} "
                            "levels",
                            describe(graph_, id), found, kMostLevels));
  }

  /// Ranks behind FakeQuantize, which shape inference does not know: in a copy it hands on what it reads.
  void infer_dims() {
    Graph shaped = graph_;
    for (const NodeId id : shaped.nodes()) {
      if (!is_fake_quantize(shaped.node(id))) continue;
      shaped.set_inputs_of(id, {shaped.node(id).input(0)});
      shaped.mutable_node(id).domain.clear();
      shaped.mutable_node(id).op_type = "Identity";
    }
    infer_shapes(shaped);
    for (const ValueId id : graph_.values()) graph_.value(id).dims = shaped.value(id).dims;
  }

  void restore(NodeId id) {
    const QParams params = params_of(id);
    const ValueId input = graph_.node(id).input(0);
    const ValueId output = graph_.node(id).output(0);
    if (output == kNoValue) refuse(id, "it has no result");
    const Tensor* floats = f32_constant(graph_, input);
    graph_.value(output).dtype = DType::f32;
    const ValueId restored = floats != nullptr ? linear_.dequantized(input, {params, quantize(*floats, params)})
                                               : linear_.pair(input, params, /*keeps_limits=*/true);
    graph_.remove_node(id);
    graph_.set_outputs_of(graph_.producer(restored), {output});
  }

  QParams params_of(NodeId id) const {
    const Node& node = graph_.node(id);
    const std::int64_t levels = node.int_or("levels", 0);
    if (levels < 2 || levels > kMostLevels) refuse(id, fmt::format("its levels are {}", levels));
    QParams params;
    const std::vector<Levels> channels = channels_of(id, levels);
    const bool is_signed =
        std::all_of(channels.begin(), channels.end(), [&](const Levels& c) { return c.zero == levels / 2; });
    params.storage = is_signed ? DType::i8 : DType::u8;
    params.quant_min = is_signed ? -static_cast<std::int32_t>(levels / 2) : 0;
    params.quant_max = params.quant_min + static_cast<std::int32_t>(levels - 1);
    for (const Levels& channel : channels) {
      params.scale.push_back(scale_of(channel, levels));
      params.zero_point.push_back(params.quant_min + channel.zero);
    }
    params.axis = channels.size() == 1 ? QScheme::kPerTensor : axis_of(id, channels.size());
    return params;
  }

  /// One, or one for each channel.
  std::vector<Levels> channels_of(NodeId id, std::int64_t levels) const {
    const Node& node = graph_.node(id);
    std::array<std::span<const float>, 4> limits;  // low and high of the input, low and high of the output
    std::size_t count = 1;
    for (std::size_t i = 0; i < limits.size(); ++i) {
      const Tensor* constant = f32_constant(graph_, node.input(i + 1));
      if (constant == nullptr || constant->size() == 0) refuse(id, "its limits are no constants of float");
      limits[i] = constant->data<float>();
      count = std::max(count, limits[i].size());
    }
    const auto limit = [&](std::size_t i, std::size_t c) { return limits[i][limits[i].size() == 1 ? 0 : c]; };
    for (const auto& of : limits) {
      if (of.size() != 1 && of.size() != count) refuse(id, "its limits differ in shape");
    }
    std::vector<Levels> channels;
    for (std::size_t c = 0; c < count; ++c) {
      channels.push_back(levels_of(id, limit(0, c), limit(1, c), levels));
      if (limit(2, c) == limit(0, c) && limit(3, c) == limit(1, c)) continue;
      refuse(id, fmt::format("it makes {} to {} of {} to {}", limit(2, c), limit(3, c), limit(0, c), limit(1, c)));
    }
    return channels;
  }

  Levels levels_of(NodeId id, float low, float high, std::int64_t levels) const {
    constexpr double kNearly = 1e-3;  // limits are rounded: 255 steps of a last bit are far below
    const double scale = (double{high} - double{low}) / static_cast<double>(levels - 1);
    const double zero = -double{low} / scale;
    const bool on_level = std::abs(zero - std::nearbyint(zero)) <= kNearly;
    const bool within = low <= 0.0F && high >= 0.0F && low < high && std::isfinite(high) && std::isfinite(low);
    if (!within || !on_level || scale < double{std::numeric_limits<float>::min()}) {
      refuse(id, fmt::format("{} levels from {} to {} found", levels, low, high));
    }
    return {low, high, static_cast<std::int32_t>(std::nearbyint(zero))};
  }

  /// The dimension of the input that limits with one dimension above 1 broadcast along.
  int axis_of(NodeId id, std::size_t channels) const {
    const Node& node = graph_.node(id);
    const auto& dims = graph_.value(node.input(0)).dims;
    if (!dims) refuse(id, "limits per channel of an input whose rank is unknown");
    std::set<std::size_t> from_end;
    for (std::size_t i = 1; i <= 4; ++i) {
      const Shape& shape = graph_.constant(node.input(i))->shape();
      for (std::size_t d = 0; d < shape.size(); ++d) {
        if (shape[d] > 1) from_end.insert(shape.size() - d);
      }
    }
    if (from_end.size() != 1 || *from_end.begin() > dims->size()) refuse(id, "limits along several dimensions");
    const std::size_t axis = dims->size() - *from_end.begin();
    if ((*dims)[axis].size != static_cast<std::int64_t>(channels)) {
      refuse(id, fmt::format("{} limits along dimension {} of an input that has {} there", channels, axis,
                             (*dims)[axis].known() ? fmt::format("{}", (*dims)[axis].size) : "an unknown number"));
    }
    return static_cast<int>(axis);
  }

  Graph& graph_;
  LinearNodes linear_;
};

}  // namespace

std::int64_t opset_of_fake_quantize(const Graph& graph) {
  constexpr std::int64_t kFirst = 10;
  constexpr std::int64_t kOfClipInputs = 11;
  constexpr std::int64_t kOfAxes = 13;
  std::int64_t opset = 0;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (!is_fake_quantize(node)) continue;
    opset = std::max(opset, node.int_or("levels", 0) < kMostLevels ? kOfClipInputs : kFirst);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const Tensor* limits = graph.constant(node.inputs[i]);
      if (limits != nullptr && limits->size() > 1) opset = std::max(opset, kOfAxes);
    }
  }
  return opset;
}

int restore_fake_quantize(Graph& graph) {
  graph.sort();
  const int changes = Restorer(graph).run();
  graph.sort();
  graph.remove_dead();
  return changes;
}

}  // namespace octavo::passes
