#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "octavo/error.h"
#include "tnn/floats.h"
#include "tnn/layer_reader.h"

namespace octavo::formats::tnn {
namespace {

struct Named {
  std::string_view tnn;
  std::string_view onnx;
};

constexpr std::array kUnary{
    Named{"ReLU", "Relu"},         Named{"Relu", "Relu"},
    Named{"Sigmoid", "Sigmoid"},   Named{"Tanh", "Tanh"},
    Named{"Abs", "Abs"},           Named{"Neg", "Neg"},
    Named{"Sqrt", "Sqrt"},         Named{"Exp", "Exp"},
    Named{"Log", "Log"},           Named{"Floor", "Floor"},
    Named{"Ceil", "Ceil"},         Named{"Sign", "Sign"},
    Named{"Softplus", "Softplus"}, Named{"Reciprocal", "Reciprocal"},
};
constexpr std::array kBinary{
    Named{"Add", "Add"}, Named{"Sub", "Sub"},     Named{"Mul", "Mul"},
    Named{"Div", "Div"}, Named{"Maximum", "Max"}, Named{"Minimum", "Min"},
};

template <std::size_t N>
std::string_view onnx_name(const LayerReader& in, const std::array<Named, N>& table) {
  for (const Named& row : table) {
    if (row.tnn == in.layer().type) return row.onnx;
  }
  throw Error(ErrorCode::internal, fmt::format("layer type '{}' is in the wrong family", in.layer().type));
}

/// A constant without a shape is one number, one a channel, or one for each element but those of other rows, columns
/// or pictures, whichever its count fits first.
Shape guessed_shape(const LayerReader& in, std::int64_t count, const std::optional<Shape>& other) {
  if (count == 1) return {};
  if (other && other->size() >= 2) {
    Shape shape(other->size(), 1);
    const std::span<const std::int64_t> dims = *other;
    if (count == dims[1]) {
      shape[1] = count;
      return shape;
    }
    for (const std::size_t first : {std::size_t{1}, std::size_t{3}, std::size_t{2}}) {
      if (first >= dims.size() || checked_element_count(dims.subspan(first)) != count) continue;
      std::copy(dims.begin() + static_cast<std::ptrdiff_t>(first), dims.end(),
                shape.begin() + static_cast<std::ptrdiff_t>(first));
      return shape;
    }
  }
  in.fail(fmt::format("its {} constants fit no dimensions of its input", count));
}

}  // namespace

void read_unary(LayerReader& in) { in.result(in.add(onnx_name(in, kUnary), {in.input()})); }

/// Of two blobs or more, or of one and a constant, which the parameter says to be the first (0) or the second (1).
void read_binary(LayerReader& in) {
  const std::string_view op = onnx_name(in, kBinary);
  const Resource* const resource = in.resource();
  if (resource == nullptr || resource->type == kBlobScale) {
    if (in.inputs() < 2) in.fail("it has one input and no constant");
    ValueId sum = in.input(0);
    for (std::size_t i = 1; i < in.inputs(); ++i) sum = in.add(op, {sum, in.input(i)});
    return in.result(sum);
  }
  const std::int64_t index = in.integer_within(0, 0, 1, 1);
  const Buffer& element = resource->buffers.front();
  if (element.empty()) in.fail("its constant is empty");
  const ValueId input = in.input();
  Shape shape = element.dims.empty() ? guessed_shape(in, element.data.size(), in.shape(input)) : element.dims;
  const ValueId constant = in.constant(floats_of(element, std::move(shape)));
  in.result(in.add(op, index == 0 ? std::vector<ValueId>{constant, input} : std::vector<ValueId>{input, constant}));
}

void read_copies(LayerReader& in) {
  for (std::size_t i = 0; i < in.layer().outputs.size(); ++i) in.result(in.add("Identity", {in.input()}), i);
}

void read_relu6(LayerReader& in) { in.result(in.add("Clip", {in.input(), in.scalar(0.0F), in.scalar(6.0F)})); }

void read_clip(LayerReader& in) {
  in.result(in.add("Clip", {in.input(), in.scalar(in.number(0)), in.scalar(in.number(1))}));
}

void read_elu(LayerReader& in) {
  Attributes attributes;
  attributes["alpha"] = in.number(0, 1.0F);
  in.result(in.add("Elu", {in.input()}, std::move(attributes)));
}

void read_hard_sigmoid(LayerReader& in) {
  Attributes attributes;
  attributes["alpha"] = in.number(0);
  attributes["beta"] = in.number(1);
  in.result(in.add("HardSigmoid", {in.input()}, std::move(attributes)));
}

/// The first input times the hard sigmoid of the last.
void read_hard_swish(LayerReader& in) {
  Attributes attributes;
  attributes["alpha"] = in.number(0);
  attributes["beta"] = in.number(1);
  const ValueId gate = in.add("HardSigmoid", {in.input(in.inputs() - 1)}, std::move(attributes));
  in.result(in.add("Mul", {in.input(0), gate}));
}

void read_prelu(LayerReader& in) {
  const Buffer& slope = in.required_resource().buffers.front();
  if (slope.empty()) in.fail("it has no slope");
  const ValueId input = in.input();
  const auto& dims = in.builder().graph().value(input).dims;
  Shape shape{slope.data.size()};
  if (slope.data.size() > 1 && dims && dims->size() > 2) shape.resize(dims->size() - 1, 1);
  in.result(in.add("PRelu", {input, in.constant(floats_of(slope, std::move(shape)))}));
}

/// Scale and bias of each channel, or one for all.
void read_batch_norm(LayerReader& in) {
  const Resource& resource = in.required_resource();
  const Buffer& scale = resource.buffers.front();
  const std::int64_t channels = scale.empty() ? 0 : scale.data.size();
  const Buffer* const bias =
      resource.buffers.size() > 1 && !resource.buffers[1].empty() ? &resource.buffers[1] : nullptr;
  if (channels == 0) in.fail("it has no scale");
  if (bias != nullptr && bias->data.size() != channels) {
    in.fail(fmt::format("it has {} scales and {} biases", channels, bias->data.size()));
  }
  if (channels == 1) {
    const ValueId product = in.add("Mul", {in.input(), in.constant(floats_of(scale, {}))});
    return in.result(bias == nullptr ? product : in.add("Add", {product, in.constant(floats_of(*bias, {}))}));
  }
  const Tensor zeros(DType::f32, {channels});
  Tensor ones = zeros;
  for (float& one : ones.mutable_data<float>()) one = 1.0F;
  Attributes attributes;
  attributes["epsilon"] = 0.0F;
  in.result(in.add("BatchNormalization",
                   {in.input(), in.constant(floats_of(scale, {channels})),
                    in.constant(bias == nullptr ? zeros : floats_of(*bias, {channels})), in.constant(zeros),
                    in.constant(std::move(ones))},
                   std::move(attributes)));
}

void read_const(LayerReader& in) {
  std::size_t at = 0;
  const Buffer& buffer = in.required_resource().buffers.front();
  Shape shape = in.counted(at);
  if (checked_element_count(shape) != buffer.data.size()) {
    in.fail(fmt::format("{} constants do not fill [{}]", buffer.data.size(), fmt::join(shape, ",")));
  }
  Attributes attributes;
  attributes["value"] = floats_of(buffer, std::move(shape));
  in.result(in.add("Constant", {}, std::move(attributes)));
}

}  // namespace octavo::formats::tnn
