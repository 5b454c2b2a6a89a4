#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "octavo/core/dtype.h"
#include "octavo/core/require.h"

namespace octavo {

/// Signedness of the quantized integers, in PyTorch's words.
enum class QType : std::uint8_t { qint8, quint8 };

/// How a tensor is to be quantized, before any data was seen. An immutable value.
struct QScheme {
  static constexpr int kPerTensor = -1;

  /// Signed or unsigned; how wide the integers are stored is for `bits` to say.
  QType qtype = QType::quint8;
  /// 1–16; up to 8 are kept in 8-bit integers, more in 16-bit ones. Signed schemes need at least 2. A file format may
  /// pack few bits more closely (docs/numerics.md).
  int bits = 8;
  /// Zero point fixed in the middle of the range (0 for qint8); otherwise affine.
  bool symmetric = false;
  /// Leaves out the most negative signed integer: [-127, 127] instead of [-128, 127].
  bool symmetric_range = false;
  /// Dimension that has a scale of its own for each index; kPerTensor: one scale for all.
  int axis = kPerTensor;
  /// Half the integers, so that sums of two products fit 16 bits: both limits divided by two and rounded down,
  /// as PyTorch's reduce_range does.
  bool reduce_range = false;
  /// Scales are raised to the next power of two.
  bool power_of_two = false;
  /// The limits were given as numbers, as MMRazor always does: PyTorch then puts the zero point of a symmetric
  /// unsigned scheme at the lower middle (127 for 8 bits) instead of the upper (128).
  bool explicit_range = false;
  /// Scales are no smaller: PyTorch's eps.
  float eps = 0x1p-23F;
  /// Above 0: a scale for each run of so many elements along `axis` and for each index of all other dimensions
  /// (ONNX's block_size); the last run may be shorter.
  int group_size = 0;

  constexpr bool per_channel() const { return axis != kPerTensor && group_size == 0; }
  constexpr bool per_group() const { return group_size > 0; }
  constexpr bool is_signed() const { return qtype == QType::qint8; }

  /// The integers of a valid scheme.
  constexpr std::int32_t quant_min() const {
    if (!is_signed()) return 0;
    const std::int32_t min = -(std::int32_t{1} << (bits - 1)) + (symmetric_range ? 1 : 0);
    return reduce_range ? min >> 1 : min;
  }
  constexpr std::int32_t quant_max() const {
    const std::int32_t max = (std::int32_t{1} << (is_signed() ? bits - 1 : bits)) - 1;
    return reduce_range ? max >> 1 : max;
  }
  /// Integer type that stores the quantized values.
  constexpr DType storage() const {
    if (bits > 8) return is_signed() ? DType::i16 : DType::u16;
    return is_signed() ? DType::i8 : DType::u8;
  }
  /// Whether the fields make sense together; `why` says what does not.
  constexpr bool valid(std::string_view* why = nullptr) const {
    std::string_view reason;
    if (bits < 1 || bits > 16)
      reason = "bits must be 1 to 16";
    else if (is_signed() && bits < 2)
      reason = "a signed scheme needs at least 2 bits";
    else if (symmetric_range && !is_signed())
      reason = "symmetric_range needs a signed type";
    else if (reduce_range && bits < (is_signed() ? 3 : 2))
      reason = "reduce_range leaves nothing of so few bits";
    else if (!(eps > 0.0F) || eps > 1.0F)
      reason = "eps must be above 0 and at most 1";
    else if (axis < kPerTensor)
      reason = "axis must be a dimension, or kPerTensor";
    else if (group_size < 0 || (group_size > 0 && axis == kPerTensor))
      reason = "group_size must be 0, or above with an axis";
    if (why != nullptr) *why = reason;
    return reason.empty();
  }

  friend bool operator==(const QScheme&, const QScheme&) = default;
};

/// The result of calibration for one tensor: real = (q - zero_point) * scale.
struct QParams {
  /// One for the tensor, one for each index of `axis`, or one for each group, in the order of a tensor whose
  /// dimension `axis` is divided by group_size; always finite and above zero.
  std::vector<float> scale;
  /// As many as scales, within [quant_min, quant_max].
  std::vector<std::int32_t> zero_point;
  /// As in QScheme: the dimension that has a scale for each index or, with a group_size, for each run.
  int axis = QScheme::kPerTensor;
  /// Limits of the integers, both included; within those of `storage`.
  std::int32_t quant_min = 0;
  std::int32_t quant_max = 255;
  /// Type of the integers in memory: i8, u8, i16 or u16; i32 for biases.
  DType storage = DType::u8;
  /// As in QScheme.
  int group_size = 0;

  bool per_channel() const { return axis != QScheme::kPerTensor && group_size == 0; }
  bool per_group() const { return group_size > 0; }
  friend bool operator==(const QParams&, const QParams&) = default;
};

}  // namespace octavo
