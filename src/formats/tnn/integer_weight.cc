#include "tnn/integer_weight.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "qdq.h"
#include "tnn/floats.h"

namespace octavo::formats::tnn {
namespace {

/// Quotients and products of floats differ by a few units in the last place from what they are equal to.
constexpr float kSame = 1e-6F;

bool same(float a, float b) { return std::fabs(a - b) <= kSame * std::max(std::fabs(a), std::fabs(b)); }

struct IntegerConstant {
  Tensor integers;
  QParams params;
  std::optional<Tensor> factors;  ///< that the floats are multiplied by
};

/// Integers of 4 bits have a byte each, in a graph as in TNN's files.
Tensor as_bytes(const Tensor& integers) {
  Tensor bytes(DType::i8, integers.shape());
  if (integers.byte_size() > 0) std::memcpy(bytes.mutable_bytes(), integers.bytes(), integers.byte_size());
  return bytes;
}

std::optional<IntegerConstant> behind_dequantize(const GraphView& view, ValueId value) {
  const auto behind = dequantized(view.graph(), value);
  if (!behind) return std::nullopt;
  const Tensor* const integers = view.graph().constant(behind->integers);
  if (integers == nullptr || (integers->dtype() != DType::i8 && integers->dtype() != DType::i4)) return std::nullopt;
  IntegerConstant result;
  result.integers = as_bytes(*integers);
  result.params = behind->params;
  return result;
}

std::optional<IntegerConstant> integer_constant(const GraphView& view, ValueId value) {
  const NodeId producer = value == kNoValue ? kNoNode : view.graph().producer(value);
  if (producer == kNoNode) return std::nullopt;
  const Node& node = view.graph().node(producer);
  if (!is_standard(node, "Mul")) return behind_dequantize(view, value);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    auto result = behind_dequantize(view, node.input(i));
    if (!result) continue;
    result->factors = view.floats(node.input(1 - i));
    if (result->factors) return result;
  }
  return std::nullopt;
}

/// The channel of the input that weight (o, i) multiplies.
std::size_t channel_of(std::size_t o, std::size_t i, std::size_t outputs, std::size_t per_group, std::size_t groups) {
  return o / (outputs / groups) * per_group + i;
}

/// Whether the factors undo the multiplication of weights by the steps of their input.
bool undo_steps(const Tensor& factors, const Tensor& weight, std::span<const float> steps, std::size_t groups) {
  if (factors.rank() != weight.rank() || weight.rank() < 2) return false;
  for (std::size_t d = 2; d < factors.rank(); ++d) {
    if (factors.dim(d) != 1) return false;
  }
  const auto rows = static_cast<std::size_t>(factors.dim(0));
  const auto per_group = static_cast<std::size_t>(weight.dim(1));
  const auto outputs = static_cast<std::size_t>(weight.dim(0));
  if (factors.dim(1) != weight.dim(1) || (rows != 1 && rows != outputs) || (rows == 1 && groups != 1)) return false;
  const auto values = factors.data<float>();
  for (std::size_t o = 0; o < rows; ++o) {
    for (std::size_t i = 0; i < per_group; ++i) {
      const std::size_t channel = channel_of(o, i, outputs, per_group, groups);
      if (channel >= steps.size() || !same(values[o * per_group + i] * steps[channel], 1.0F)) return false;
    }
  }
  return true;
}

std::vector<float> handle_of(const LayerWriter& out, const IntegerConstant& weight, const QParams& input) {
  const auto outputs = static_cast<std::size_t>(weight.integers.dim(0));
  const auto groups = static_cast<std::size_t>(std::max<std::int64_t>(out.node().int_or("group", 1), 1));
  std::vector<float> handle = weight.params.scale;
  if (weight.factors) {
    const std::vector<float> all(groups * static_cast<std::size_t>(weight.integers.dim(1)), input.scale.front());
    if (!undo_steps(*weight.factors, weight.integers, input.per_channel() ? input.scale : all, groups)) {
      out.refuse("its weight is multiplied by something else than what the steps of its input are divided by");
    }
    return handle;
  }
  if (!input.per_channel()) {
    for (float& step : handle) step *= input.scale.front();
    return handle;
  }
  if (groups != outputs || weight.integers.dim(1) != 1 || input.scale.size() != outputs) {
    out.refuse("its input has a scale for each channel, by which its weight was not multiplied before it was rounded");
  }
  handle.resize(outputs, handle.front());
  for (std::size_t o = 0; o < outputs; ++o) handle[o] *= input.scale[o];
  return handle;
}

std::int32_t rounded(float bias, float step) {
  const double steps = std::round(static_cast<double>(bias) / static_cast<double>(step));
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  return std::isnan(steps) ? 0 : static_cast<std::int32_t>(std::clamp(steps, -kMost, kMost));
}

/// Integers of the graph as they are, where their step is that of the sums, which then is the graph's own; others
/// rounded to the nearest.
void set_bias(const LayerWriter& out, StoredWeight& weight) {
  const ValueId id = out.input(2);
  if (id == kNoValue) return;
  const auto outputs = static_cast<std::size_t>(weight.integers.dim(0));
  const Tensor floats = out.floats(id, "its bias");
  if (floats.size() != static_cast<std::int64_t>(outputs)) {
    out.refuse(fmt::format("its bias has {} elements for {} outputs", floats.size(), outputs));
  }
  const auto behind = dequantized(out.graph(), id);
  const Tensor* const integers = behind ? out.graph().constant(behind->integers) : nullptr;
  if (integers != nullptr && integers->dtype() == DType::i32 && behind->params.scale.size() == weight.handle.size() &&
      std::equal(weight.handle.begin(), weight.handle.end(), behind->params.scale.begin(), same)) {
    weight.handle = behind->params.scale;
    weight.bias = integers->reshaped({integers->size()});
    return;
  }
  weight.bias = Tensor(DType::i32, {floats.size()});
  const auto values = weight.bias.mutable_data<std::int32_t>();
  const auto biases = floats.data<float>();
  for (std::size_t o = 0; o < outputs; ++o) {
    values[o] = rounded(biases[o], weight.handle[weight.handle.size() == 1 ? 0 : o]);
  }
}

Tensor transposed(const Tensor& matrix) {
  Tensor result(matrix.dtype(), {matrix.dim(1), matrix.dim(0)});
  const auto rows = static_cast<std::size_t>(matrix.dim(0));
  const auto columns = static_cast<std::size_t>(matrix.dim(1));
  const auto from = matrix.data<std::int8_t>();
  const auto to = result.mutable_data<std::int8_t>();
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

}  // namespace

bool has_integer_weight(const GraphView& view, ValueId weight) { return integer_constant(view, weight).has_value(); }

StoredWeight stored_weight(const LayerWriter& out, std::int64_t axis) {
  auto constant = integer_constant(out.view(), out.input(1));
  if (!constant) out.refuse("its weight is not stored as int8");
  const QParams& params = constant->params;
  if (std::any_of(params.zero_point.begin(), params.zero_point.end(), [](std::int32_t z) { return z != 0; })) {
    out.refuse("its weight has zero points other than 0, which no kernel of TNN for Arm or x86 reads");
  }
  if (params.per_group() || (params.per_channel() && params.axis != axis)) {
    out.refuse("its weight has scales along something else than its output channels");
  }
  if (axis == 1) {
    if (constant->factors) out.refuse("its input has a scale for each channel, where TNN's InnerProduct has one");
    constant->integers = transposed(constant->integers);
  }
  const QParams& input = *out.view().scale(out.view().source(out.input(0)));
  StoredWeight weight;
  weight.handle = handle_of(out, *constant, input);
  weight.integers = std::move(constant->integers);
  set_bias(out, weight);
  return weight;
}

std::vector<Buffer> buffers_of(const StoredWeight& weight) {
  const auto scales = static_cast<std::int64_t>(weight.handle.size());
  std::vector<Buffer> buffers;
  buffers.push_back(buffer_of(weight.integers, {}));
  if (weight.bias.rank() > 0) buffers.push_back(buffer_of(weight.bias, {}));
  buffers.push_back(buffer_of(Tensor(DType::i8, {scales}), {}));
  buffers.push_back(buffer_of(Tensor::from<float>({scales}, std::span<const float>(weight.handle)), {}));
  return buffers;
}

}  // namespace octavo::formats::tnn
