#include <fmt/format.h>

#include <limits>

#include "shape_context.h"

namespace octavo {
namespace {

// Stands for a size that is not known: what the window leaves as it is keeps its symbol.
constexpr std::int64_t kSomeSize = std::numeric_limits<std::int32_t>::max();

using Geometry = std::vector<Window> (*)(const Node&, std::span<const std::int64_t>, std::span<const std::int64_t>);

std::vector<std::int64_t> spatial_sizes(const Dims& x) {
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 2; i < x.size(); ++i) sizes.push_back(x[i].known() ? x[i].size : kSomeSize);
  return sizes;
}

std::vector<Window> checked_windows(const ShapeContext& context, const Dims& x, std::span<const std::int64_t> kernel,
                                    Geometry geometry) {
  try {
    return geometry(context.node(), kernel, spatial_sizes(x));
  } catch (const Error& error) {
    if (!context.node().name.empty()) throw;
    context.fail(error.what());  // only the graph knows what a node without a name writes
  }
}

Dims windowed(const ShapeContext& context, const Dims& x, const Dim& channels, std::span<const std::int64_t> kernel,
              Geometry geometry) {
  Dims y = {x[0], channels};
  const std::vector<Window> windows = checked_windows(context, x, kernel, geometry);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const Dim& dim = x[i + 2];
    if (dim.known()) {
      y.push_back(Dim{windows[i].output, {}});
    } else {
      y.push_back(windows[i].output == kSomeSize ? dim : Dim{});
    }
  }
  return y;
}

// The spatial sizes of the kernel: the weight's, or what the attribute says of it.
std::optional<std::vector<std::int64_t>> kernel_of(const ShapeContext& context, const std::optional<Dims>& weight) {
  std::vector<std::int64_t> kernel;
  if (weight) {
    for (std::size_t i = 2; i < weight->size() && (*weight)[i].known(); ++i) kernel.push_back((*weight)[i].size);
    if (kernel.size() + 2 == weight->size()) return kernel;
  }
  if (!context.node().has("kernel_shape")) return std::nullopt;
  return context.node().ints_or("kernel_shape", {});
}

void require_rank(const ShapeContext& context, const Dims& x) {
  if (x.size() < 3) context.fail(fmt::format("its input has {} dimensions, expected at least 3", x.size()));
}

std::optional<Dims> convolved(const ShapeContext& context, std::size_t weight_input) {
  const auto& x = context.dims(0);
  const auto& weight = context.dims(weight_input);
  if (!x) return std::nullopt;
  require_rank(context, *x);
  Dim channels;
  if (weight) {
    if (weight->size() != x->size()) {
      context.fail(fmt::format("its input has {} dimensions and its weight {}", x->size(), weight->size()));
    }
    const Dim group = context.known_dim(context.node().int_or("group", 1));
    context.merge((*x)[1], context.multiply((*weight)[1], group));
    context.divide((*weight)[0], group.size);
    channels = (*weight)[0];
  }
  const auto kernel = kernel_of(context, weight);
  if (kernel) return windowed(context, *x, channels, *kernel, window_geometry);
  Dims y(x->size());
  y[0] = (*x)[0];
  y[1] = channels;
  return y;
}

void conv(ShapeContext& context) { context.set(0, context.dtype(0), convolved(context, 1)); }
void conv_integer(ShapeContext& context) { context.set(0, DType::i32, convolved(context, 1)); }
void qlinear_conv(ShapeContext& context) { context.set(0, context.dtype(7), convolved(context, 3)); }

void conv_transpose(ShapeContext& context) {
  const auto& x = context.dims(0);
  const auto& weight = context.dims(1);
  if (!x || !weight) return context.set(0, context.dtype(0), std::nullopt);
  require_rank(context, *x);
  if (weight->size() != x->size()) {
    context.fail(fmt::format("its input has {} dimensions and its weight {}", x->size(), weight->size()));
  }
  context.merge((*x)[1], (*weight)[0]);
  const Dim channels = context.multiply((*weight)[1], context.known_dim(context.node().int_or("group", 1)));
  Dims y(x->size());
  if (const auto kernel = kernel_of(context, weight)) {
    y = windowed(context, *x, channels, *kernel, transposed_window_geometry);
  }
  y[0] = (*x)[0];
  y[1] = channels;
  context.set(0, context.dtype(0), std::move(y));
}

void pool(ShapeContext& context) {
  const auto& x = context.dims(0);
  std::optional<Dims> y;
  if (x) {
    require_rank(context, *x);
    if (!context.node().has("kernel_shape")) context.fail("kernel_shape is missing");
    y = windowed(context, *x, (*x)[1], context.node().ints_or("kernel_shape", {}), window_geometry);
  }
  context.set(0, context.dtype(0), y);
  context.set(1, DType::i64, y);
}

void global_pool(ShapeContext& context) {
  std::optional<Dims> y = context.dims(0);
  for (std::size_t i = 2; y && i < y->size(); ++i) (*y)[i] = Dim{1, {}};
  context.set(0, context.dtype(0), std::move(y));
}

constexpr ShapeRule kRules[] = {
    {"Conv", conv},
    {"ConvInteger", conv_integer},
    {"QLinearConv", qlinear_conv},
    {"ConvTranspose", conv_transpose},
    {"MaxPool", pool},
    {"AveragePool", pool},
    {"LpPool", pool},
    {"GlobalAveragePool", global_pool},
    {"GlobalMaxPool", global_pool},
    {"GlobalLpPool", global_pool},
};

}  // namespace

std::span<const ShapeRule> window_shape_rules() { return kRules; }

}  // namespace octavo
