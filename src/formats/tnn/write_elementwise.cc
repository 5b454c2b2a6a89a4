#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "tnn/floats.h"
#include "tnn/layer_writer.h"

namespace octavo::formats::tnn {
namespace {

struct Named {
  std::string_view onnx;
  std::string_view tnn;
};

constexpr std::array kBinary{
    Named{"Add", "Add"}, Named{"Sub", "Sub"},     Named{"Mul", "Mul"},
    Named{"Div", "Div"}, Named{"Max", "Maximum"}, Named{"Min", "Minimum"},
};

/// Whether version 1, which says no dimensions, is read with these: one number, one a channel, one an element of a
/// picture.
bool guessed(const Shape& constant, const Shape& input) {
  if (element_count(constant) == 1) return true;
  if (constant.size() > input.size()) return false;
  Shape aligned(input.size() - constant.size(), 1);
  aligned.insert(aligned.end(), constant.begin(), constant.end());
  Shape channels(input.size(), 1);
  if (channels.size() < 2) return false;
  channels[1] = input[1];
  if (element_count(aligned) == input[1]) return aligned == channels;
  Shape elements = input;
  elements[0] = 1;
  return aligned == elements;
}

void write_with_constant(LayerWriter& out, std::string_view type, std::size_t index) {
  const ValueId other = out.input(1 - index);
  const Tensor constant = out.floats(out.input(index), "an operand");
  if (out.version() == Version::v1 && !guessed(constant.shape(), out.shape(other))) {
    out.refuse("its constant has dimensions that version 1 of TNN's files cannot say; version 2 can");
  }
  Resource resource;
  resource.buffers.push_back(buffer_of(constant, constant.shape()));
  out.add(type, {other}, texts_of({static_cast<std::int64_t>(index)}), std::move(resource));
}

}  // namespace

std::optional<ClipLimits> clip_limits(const GraphView& view, const Node& node) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  ClipLimits limits{node.float_or("min", -kLargest), node.float_or("max", kLargest)};
  const auto set = [&](std::size_t input, float& limit) {
    if (node.input(input) == kNoValue) return true;
    const auto tensor = view.floats(node.input(input));
    if (!tensor || tensor->size() != 1) return false;
    limit = tensor->data<float>()[0];
    return true;
  };
  if (!set(1, limits.min) || !set(2, limits.max)) return std::nullopt;
  return limits;
}

/// Add alone has an integer kernel, for two blobs.
void write_binary(LayerWriter& out) {
  const Node& node = out.node();
  const auto* const row =
      std::find_if(kBinary.begin(), kBinary.end(), [&](const Named& named) { return named.onnx == node.op_type; });
  if (node.inputs.size() != 2) out.refuse("TNN's layer is written for two operands");
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (out.view().floats(out.input(i))) return write_with_constant(out, row->tnn, i);
  }
  const std::vector<ValueId> inputs = node.inputs;
  const bool integer = node.op_type == "Add" && out.reads_integers(inputs);
  const auto end = integer ? out.integer_end(out.output()) : std::nullopt;
  if (!end) return out.add(row->tnn, inputs, {"-1"});
  out.add_integer(row->tnn, {out.integer_blob(inputs[0]), out.integer_blob(inputs[1])}, {"-1"}, *end);
}

/// Squares and roots, which other layers compute.
void write_power(LayerWriter& out) {
  const Tensor exponent = out.floats(out.input(1), "its exponent");
  const float power = exponent.size() == 1 ? exponent.data<float>().front() : 0.0F;
  if (power == 2.0F) return out.add("Mul", {out.input(), out.input()}, {"-1"});
  if (power == 0.5F) return out.add("Sqrt", {out.input()}, {});
  out.refuse("only squares and square roots are written");
}

void write_unary(LayerWriter& out) { out.add(out.node().op_type, {out.input()}, {}); }

/// In integers where it reads them and gives them out in the same steps.
void write_relu(LayerWriter& out) {
  const ValueId source = out.view().source(out.input());
  const bool before = out.reads_before_activation(source);
  if (out.view().only_quantized(out.output()) &&
      (before || (out.view().restored(out.input()) && *out.view().scale(source) == *out.view().scale(out.output())))) {
    return out.add_integer("ReLU", {out.integer_blob(out.input())}, {}, {out.output(), kNoNode});
  }
  out.add("ReLU", {out.input()}, {});
}

void write_clip(LayerWriter& out) {
  const auto limits = clip_limits(out.view(), out.node());
  if (!limits) out.refuse("its limits are no constants");
  if (limits->min == 0.0F && limits->max == 6.0F) return out.add("ReLU6", {out.input()}, {});
  out.add("Clip", {out.input()}, {text_of(limits->min), text_of(limits->max)});
}

void write_elu(LayerWriter& out) { out.add("Elu", {out.input()}, {text_of(out.node().float_or("alpha", 1.0F))}); }

void write_hard_sigmoid(LayerWriter& out) {
  out.add("HardSigmoid", {out.input()},
          {text_of(out.node().float_or("alpha", 0.2F)), text_of(out.node().float_or("beta", 0.5F))});
}

void write_hard_swish(LayerWriter& out) { out.add("HardSwish", {out.input()}, {text_of(1.0F / 6.0F), text_of(0.5F)}); }

void write_prelu(LayerWriter& out) {
  const Tensor slope = out.floats(out.input(1), "its slope");
  const Shape input = out.shape(out.input());
  const bool shared = slope.size() == 1;
  const std::size_t batch = slope.rank() == input.size() ? 1 : 0;  // that of 1 which Keras' exporter writes
  const bool channels = input.size() >= 2 && slope.size() == input[1] && slope.rank() + 1 == input.size() + batch &&
                        slope.dim(batch) == slope.size();
  if (!shared && !channels) out.refuse("its slope is neither one number nor one a channel");
  Resource resource;
  resource.buffers.push_back(buffer_of(slope, {slope.size()}));
  out.add("PReLU", {out.input()}, {shared ? "1" : "0", "0"}, std::move(resource));
}

void write_leaky_relu(LayerWriter& out) {
  Resource resource;
  resource.buffers.push_back(buffer_of(Tensor::from<float>({1}, {out.node().float_or("alpha", 0.01F)}), {1}));
  out.add("PReLU", {out.input()}, {"1", "0"}, std::move(resource));
}

/// One factor and one summand a channel.
void write_batch_norm(LayerWriter& out) {
  const Tensor mean = out.floats(out.input(3), "its mean");
  const Tensor variance = out.floats(out.input(4), "its variance");
  Tensor scale = out.floats(out.input(1), "its scale");
  Tensor bias = out.floats(out.input(2), "its bias");
  if (scale.size() != mean.size() || bias.size() != mean.size() || variance.size() != mean.size()) {
    out.refuse("its constants are not as many each");
  }
  const double epsilon = out.node().float_or("epsilon", 1e-5F);
  const auto factors = scale.mutable_data<float>();
  const auto summands = bias.mutable_data<float>();
  for (std::size_t c = 0; c < factors.size(); ++c) {
    const double factor = factors[c] / std::sqrt(variance.data<float>()[c] + epsilon);
    summands[c] = static_cast<float>(summands[c] - mean.data<float>()[c] * factor);
    factors[c] = static_cast<float>(factor);
  }
  Resource resource;
  resource.buffers.push_back(buffer_of(scale, {scale.size()}));
  resource.buffers.push_back(buffer_of(bias, {bias.size()}));
  out.add("BatchNormCxx", {out.input()}, {}, std::move(resource));
}

}  // namespace octavo::formats::tnn
