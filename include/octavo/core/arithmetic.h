#pragma once

#include <cstdint>

namespace octavo {

/// Which neighbour a real becomes: the functions of core/rounding.h.
enum class Rounding : std::uint8_t {
  half_even,    ///< round_half_even
  half_away,    ///< round_half_away
  adding_half,  ///< round_by_adding_half
};

/// How a runtime goes on from the int32 sums of a Conv or Gemm of 8-bit integers.
enum class SumsBecome : std::uint8_t {
  /// Integers by one float factor: round((sum + int32 bias) · (x_scale·w_scale / y_scale)) + y_zero. Needs an output
  /// that is quantized; without one the operator is computed in float.
  integers,
  /// Reals: sum · (x_scale·w_scale) + bias, then the activation, all in float. What is quantized is quantized from
  /// that.
  reals,
};

/// How a runtime computes a Q/DQ graph, where runtimes differ: the executor does the same (docs/numerics.md). The
/// defaults are ONNX Runtime's.
struct Arithmetic {
  Rounding rounding = Rounding::half_even;
  /// Scales are stored as S = 1/scale in float, and quantizing multiplies by that where others divide by the scale;
  /// the unit of sums is 1/(S_x·S_w).
  bool reciprocal_scales = false;
  /// Quantizing is FakeQuantize's, by the reals that the least and the greatest integer stand for: x · factor + shift,
  /// rounded to an integer. Behind a Conv or Gemm that nothing else reads, that is rounded once, elsewhere the product
  /// is rounded too.
  bool by_range = false;
  /// int8 ends at -127.
  bool narrow_int8 = false;
  SumsBecome sums = SumsBecome::integers;
  /// Reals: a Conv rounds sum · unit + bias once; a Gemm rounds the product too.
  bool fused_bias = false;
  /// Integers: a Relu or Clip is a bound of the rounded result. Otherwise it must be one that saturation is anyway.
  bool bounds_integers = false;
  /// Integers: a bias in float becomes int32 toward zero. Otherwise it keeps its operator in float.
  bool truncates_bias = false;
  /// Integers: activations may have a scale for each channel, which weights took in before they were rounded.
  bool channel_scales = false;
  /// Gemm is computed as a Conv of 1x1 is; otherwise in float.
  bool integer_gemm = false;
  /// What a Conv hands to an Add through a pair of its own is clipped to the pair's range and not rounded: the Add is
  /// part of the Conv's kernel, in steps of the other operand.
  bool unrounded_sums = false;
  /// BatchNormalization is (x + shift / factor) · factor, or, where a factor is below all normal floats, x · factor +
  /// shift rounded once; otherwise both of the latter's steps are rounded.
  bool centred_normalization = false;
  /// Add takes steps to steps, with the zero point inside the rounding; otherwise it adds reals.
  bool integer_add = true;
};

/// The CPU provider of ONNX Runtime.
inline constexpr Arithmetic kOnnxRuntimeArithmetic{};

/// ncnn's int8 layers, as its x86 and Arm kernels compute them.
inline constexpr Arithmetic kNcnnArithmetic{.rounding = Rounding::half_away,
                                            .reciprocal_scales = true,
                                            .narrow_int8 = true,
                                            .sums = SumsBecome::reals,
                                            .fused_bias = true,
                                            .integer_gemm = true,
                                            .integer_add = false};

/// TNN's reference kernels (device/cpu).
inline constexpr Arithmetic kTnnArithmetic{.rounding = Rounding::adding_half,
                                           .bounds_integers = true,
                                           .truncates_bias = true,
                                           .channel_scales = true,
                                           .integer_gemm = true,
                                           .integer_add = false};

/// OpenVINO's CPU plugin with its 8-bit kernels, on x86 with VNNI.
inline constexpr Arithmetic kOpenVinoArithmetic{.by_range = true,
                                                .sums = SumsBecome::reals,
                                                .integer_gemm = true,
                                                .unrounded_sums = true,
                                                .centred_normalization = true,
                                                .integer_add = false};

/// Runtimes that keep biases in float and round once, to even: TensorRT, by its documents.
inline constexpr Arithmetic kFloatBiasArithmetic{.sums = SumsBecome::reals, .integer_add = false};

}  // namespace octavo
