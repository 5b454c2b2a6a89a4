
#include "shape_context.h"

namespace octavo {
namespace {

void check_channels(ShapeContext& context, std::size_t first, std::size_t last) {
  const auto& x = context.dims(0);
  if (!x || x->size() < 2) return;
  for (std::size_t i = first; i <= last; ++i) {
    if (context.dims(i)) context.merge({(*x)[1]}, *context.dims(i));
  }
}

void same(ShapeContext& context) { context.set(0, context.dtype(0), context.dims(0)); }

// The statistics that training returns are of one channel each, as input 1 is.
void batch_normalization(ShapeContext& context) {
  check_channels(context, 1, 4);
  same(context);
  for (std::size_t i = 1; i < context.node().outputs.size(); ++i) context.set(i, context.dtype(3), context.dims(1));
}

void instance_normalization(ShapeContext& context) {
  check_channels(context, 1, 2);
  same(context);
}

void layer_normalization(ShapeContext& context) {
  same(context);
  std::optional<Dims> statistics = context.dims(0);
  if (statistics) {
    const std::size_t axis = context.axis(context.node().int_or("axis", -1), statistics->size());
    for (std::size_t i = axis; i < statistics->size(); ++i) (*statistics)[i] = Dim{1, {}};
  }
  context.set(1, DType::f32, statistics);
  context.set(2, DType::f32, statistics);
}

constexpr ShapeRule kRules[] = {
    {"BatchNormalization", batch_normalization},
    {"InstanceNormalization", instance_normalization},
    {"LayerNormalization", layer_normalization},
    {"GroupNormalization", same},
    {"LRN", same},
    {"LpNormalization", same},
    {"MeanVarianceNormalization", same},
};

}  // namespace

std::span<const ShapeRule> normalization_shape_rules() { return kRules; }

}  // namespace octavo
