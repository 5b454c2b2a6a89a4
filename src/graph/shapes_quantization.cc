#include "shape_context.h"

namespace octavo {
namespace {

// Opset 21's output_dtype, by ONNX's number, of the types that quantization has.
DType quantized_type(std::int64_t number) {
  switch (number) {
    case 2:
      return DType::u8;
    case 3:
      return DType::i8;
    case 4:
      return DType::u16;
    case 5:
      return DType::i16;
    case 21:
      return DType::u4;
    case 22:
      return DType::i4;
    default:
      return DType::opaque;
  }
}

void quantize(ShapeContext& context) {
  DType dtype = DType::u8;
  if (context.has_input(2)) {
    dtype = context.dtype(2);
  } else if (const std::int64_t number = context.node().int_or("output_dtype", 0); number != 0) {
    dtype = quantized_type(number);
  }
  context.set(0, dtype, context.dims(0));
}

void dequantize(ShapeContext& context) {
  context.merge(context.dtype(0), context.dtype(2));
  context.set(0, context.dtype(1), context.dims(0));
}

void dynamic_quantize(ShapeContext& context) {
  context.set(0, DType::u8, context.dims(0));
  context.set(1, DType::f32, Dims{});
  context.set(2, DType::u8, Dims{});
}

constexpr ShapeRule kRules[] = {
    {"QuantizeLinear", quantize},
    {"DequantizeLinear", dequantize},
    {"DynamicQuantizeLinear", dynamic_quantize},
};

}  // namespace

std::span<const ShapeRule> quantization_shape_rules() { return kRules; }

}  // namespace octavo
