#include "cast.h"

#include <algorithm>
#include <array>
#include <string>

#include "elementwise.h"
#include "half.h"
#include "requantize.h"

namespace octavo::execute {
namespace {

// Each conversion goes over the widest type of its kind in blocks, exactly: 3 x 15 loops instead of 15 x 15.
constexpr std::int64_t kBlock = 256;

template <typename T>
using WidestOf = std::conditional_t<std::is_integral_v<T>,
                                    std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>, double>;

template <typename To, typename Wide>
To narrow(Wide value) {
  if constexpr (dtype_of<To> == DType::i4 || dtype_of<To> == DType::u4)
    return saturate_round<To>(static_cast<float>(value), 0.0F);
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<Wide>)
    return saturate<To>(value);
  else
    return static_cast<To>(value);
}

template <typename Body>
void for_any_type(const RunContext& context, DType dtype, Body&& body) {
  const bool known =
      with_type<float, double, Float16, BFloat16, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                std::uint32_t, std::int64_t, std::uint64_t, Int4, UInt4>(dtype, std::forward<Body>(body));
  if (!known) {
    context.fail(ErrorCode::unsupported,
                 "conversion from or to type " + std::string(name_of(dtype)) + " is not implemented");
  }
}

template <typename Wide>
void write_block(const RunContext& context, const Wide* block, std::int64_t count, DType to, void* target,
                 std::int64_t at) {
  if (to == DType::boolean) {
    auto* y = static_cast<std::uint8_t*>(target) + at;
    for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<std::uint8_t>(block[i] != 0);
    return;
  }
  for_any_type(context, to, [&]<typename To>() {
    To* y = static_cast<To*>(target) + at;
    for (std::int64_t i = 0; i < count; ++i) y[i] = narrow<To>(block[i]);
  });
}

template <typename From>
void cast_from(RunContext& context, const From* x, std::int64_t total, bool truth, DType to, void* target) {
  using Wide = WidestOf<From>;
  for_each_piece(context, total, kPieceElements, [&](std::int64_t begin, std::int64_t end) {
    std::array<Wide, kBlock> block;
    for (std::int64_t at = begin; at < end; at += kBlock) {
      const std::int64_t count = std::min(kBlock, end - at);
      for (std::int64_t i = 0; i < count; ++i) {
        block[static_cast<std::size_t>(i)] = truth ? static_cast<Wide>(x[at + i] != 0) : static_cast<Wide>(x[at + i]);
      }
      write_block(context, block.data(), count, to, target, at);
    }
  });
}

DType dtype_of_onnx(const NodeContext& context, std::int64_t number) {
  // TensorProto.DataType, from 1 on; strings, complex numbers and 8-bit floats are not computed with.
  constexpr std::array kTypes = {DType::f32,  DType::u8,     DType::i8,     DType::u16,     DType::i16,
                                 DType::i32,  DType::i64,    DType::opaque, DType::boolean, DType::f16,
                                 DType::f64,  DType::u32,    DType::u64,    DType::opaque,  DType::opaque,
                                 DType::bf16, DType::opaque, DType::opaque, DType::opaque,  DType::opaque,
                                 DType::u4,   DType::i4};
  const bool known = number >= 1 && number <= static_cast<std::int64_t>(kTypes.size());
  const DType dtype = known ? kTypes[static_cast<std::size_t>(number - 1)] : DType::opaque;
  if (dtype == DType::opaque)
    context.unsupported("conversion to ONNX's type " + std::to_string(number) + " is not implemented");
  return dtype;
}

class Cast : public Kernel {
 public:
  explicit Cast(const NodeContext& context) : to_(dtype_of_onnx(context, context.node.int_or("to", 0))) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    if (context.dtype(0) == to_) return context.output_shares_input(0, 0, shape);
    cast_elements(context, context.input(0), to_, context.allocate(0, to_, shape));
  }

 private:
  const DType to_;
};

}  // namespace

void cast_elements(RunContext& context, const TensorView& source, DType to, void* target) {
  const std::int64_t count = source.size();
  if (source.dtype() == DType::boolean) {
    return cast_from(context, static_cast<const std::uint8_t*>(source.bytes()), count, true, to, target);
  }
  for_any_type(context, source.dtype(), [&]<typename From>() {
    cast_from(context, static_cast<const From*>(source.bytes()), count, false, to, target);
  });
}

std::span<const float> as_floats(RunContext& context, std::size_t i) {
  if (context.dtype(i) == DType::f32) return context.data<float>(i);
  const auto converted = context.scratch<float>(static_cast<std::size_t>(context.input(i).size()));
  cast_elements(context, context.input(i), DType::f32, converted.data());
  return converted;
}

std::unique_ptr<Kernel> make_cast(const NodeContext& context) { return std::make_unique<Cast>(context); }

}  // namespace octavo::execute
