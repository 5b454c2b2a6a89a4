#include <array>

#include "shape_context.h"

namespace octavo {
namespace {

void same(ShapeContext& context) { context.set(0, context.dtype(0), context.dims(0)); }

void dropout(ShapeContext& context) {
  same(context);
  context.set(1, context.opset() >= 10 ? DType::boolean : context.dtype(0), context.dims(0));
}

// Broadcasts the inputs from `first` on, which have one type.
std::optional<Dims> broadcast_from(ShapeContext& context, std::size_t first, DType& dtype) {
  std::optional<Dims> dims = context.dims(first);
  for (std::size_t i = first; i < context.node().inputs.size(); ++i) {
    dtype = context.merge(dtype, context.dtype(i));
    dims = context.broadcast(dims, context.dims(i));
  }
  return dims;
}

void arithmetic(ShapeContext& context) {
  DType dtype = DType::undefined;
  auto dims = broadcast_from(context, 0, dtype);
  context.set(0, dtype, std::move(dims));
}

void comparison(ShapeContext& context) {
  DType dtype = DType::undefined;
  auto dims = broadcast_from(context, 0, dtype);
  context.set(0, DType::boolean, std::move(dims));
}

// The exponent, like the number of bits to shift by, may have a type of its own.
void power(ShapeContext& context) {
  context.set(0, context.dtype(0), context.broadcast(context.dims(0), context.dims(1)));
}

void where(ShapeContext& context) {
  DType dtype = DType::undefined;
  const auto dims = broadcast_from(context, 1, dtype);
  context.set(0, dtype, context.broadcast(context.dims(0), dims));
}

// ONNX's TensorProto.DataType.
DType dtype_numbered(std::int64_t number) {
  constexpr std::array<DType, 23> kTypes = {DType::undefined, DType::f32,  DType::u8,     DType::i8,     DType::u16,
                                            DType::i16,       DType::i32,  DType::i64,    DType::opaque, DType::boolean,
                                            DType::f16,       DType::f64,  DType::u32,    DType::u64,    DType::opaque,
                                            DType::opaque,    DType::bf16, DType::opaque, DType::opaque, DType::opaque,
                                            DType::opaque,    DType::u4,   DType::i4};
  if (number < 0) return DType::undefined;
  return number < static_cast<std::int64_t>(kTypes.size()) ? kTypes[static_cast<std::size_t>(number)] : DType::opaque;
}

void cast(ShapeContext& context) { context.set(0, dtype_numbered(context.node().int_or("to", 0)), context.dims(0)); }
void cast_like(ShapeContext& context) { context.set(0, context.dtype(1), context.dims(0)); }
void test(ShapeContext& context) { context.set(0, DType::boolean, context.dims(0)); }

constexpr ShapeRule kRules[] = {
    {"Abs", same},           {"Acos", same},
    {"Asin", same},          {"Atan", same},
    {"Ceil", same},          {"Celu", same},
    {"Clip", same},          {"Cos", same},
    {"CumSum", same},        {"Elu", same},
    {"Erf", same},           {"Exp", same},
    {"Floor", same},         {"Gelu", same},
    {"HardSigmoid", same},   {"HardSwish", same},
    {"Hardmax", same},       {"Identity", same},
    {"LeakyRelu", same},     {"Log", same},
    {"LogSoftmax", same},    {"Mish", same},
    {"Neg", same},           {"Not", same},
    {"PRelu", same},         {"Reciprocal", same},
    {"Relu", same},          {"Round", same},
    {"Selu", same},          {"Shrink", same},
    {"Sigmoid", same},       {"Sign", same},
    {"Sin", same},           {"Softmax", same},
    {"Softplus", same},      {"Softsign", same},
    {"Sqrt", same},          {"Tan", same},
    {"Tanh", same},          {"ThresholdedRelu", same},
    {"Dropout", dropout},    {"Add", arithmetic},
    {"Sub", arithmetic},     {"Mul", arithmetic},
    {"Div", arithmetic},     {"Mod", arithmetic},
    {"Max", arithmetic},     {"Min", arithmetic},
    {"Mean", arithmetic},    {"Sum", arithmetic},
    {"Pow", power},          {"BitShift", power},
    {"And", comparison},     {"Or", comparison},
    {"Xor", comparison},     {"Equal", comparison},
    {"Less", comparison},    {"LessOrEqual", comparison},
    {"Greater", comparison}, {"GreaterOrEqual", comparison},
    {"IsNaN", test},         {"IsInf", test},
    {"Where", where},        {"Cast", cast},
    {"CastLike", cast_like},
};

}  // namespace

std::span<const ShapeRule> elementwise_shape_rules() { return kRules; }

}  // namespace octavo
