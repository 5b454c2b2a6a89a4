#include <cstddef>
#include <cstdint>

#include "octavo/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast_kernels.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "quantize-inl.h"
#include "reduce-inl.h"

HWY_BEFORE_NAMESPACE();
namespace octavo {
namespace HWY_NAMESPACE {

const Kernels* kernels_of_isa() {
  static const Kernels kernels = {
      hwy::TargetName(HWY_TARGET), &min_max_f32,       &bin_index_f32,    &quantize_f32_s8, &quantize_f32_u8,
      &dequantize_s8_f32,          &dequantize_u8_f32, &fake_quantize_f32};
  return &kernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace octavo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octavo {

HWY_EXPORT(kernels_of_isa);

const Kernels& fast_kernels() { return *HWY_DYNAMIC_DISPATCH(kernels_of_isa)(); }

}  // namespace octavo
#endif
