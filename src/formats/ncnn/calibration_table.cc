#include "calibration_table.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace octavo::formats::ncnn {
namespace {

constexpr int kScaleTerm = 8;

/// Six decimals as in ncnn's own tables; more where these would lose digits that the weights' integers hang on.
std::string scale_text(float scale) {
  constexpr double kTolerance = 1e-6;
  std::string text = fmt::format("{:.6f}", scale);
  const double written = std::strtod(text.c_str(), nullptr);
  return std::abs(written - scale) <= kTolerance * scale ? text : fmt::format("{:.9g}", scale);
}

std::string row(std::string_view name, const Tensor& scales) {
  std::string text(name);
  for (const float scale : scales.data<float>()) text += fmt::format(" {}", scale_text(scale));
  return text + " \n";
}

bool has_scales(const Layer& layer) {
  const bool weighted =
      layer.type == "Convolution" || layer.type == "ConvolutionDepthWise" || layer.type == "InnerProduct";
  return weighted && layer.params.int_or(kScaleTerm, 0) != 0;
}

}  // namespace

std::string calibration_table(std::span<const Layer> layers) {
  std::string weights;
  std::string inputs;
  for (const Layer& layer : layers) {
    if (!has_scales(layer)) continue;
    // Weights, the bias where there is one, then the scales of weights and input.
    const bool bias = layer.params.int_or(layer.type == "InnerProduct" ? 1 : 5, 0) != 0;
    const std::size_t scales = bias ? 2 : 1;
    weights += row(fmt::format("{}_param_0", layer.name), layer.weights.at(scales).tensor);
    inputs += row(layer.name, layer.weights.at(scales + 1).tensor);
  }
  return weights + inputs;
}

}  // namespace octavo::formats::ncnn
