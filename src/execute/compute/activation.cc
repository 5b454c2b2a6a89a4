#include "compute/activation.h"

#include <string>

namespace octavo::execute {

Activation activation_of(const Node& node) {
  const std::string name = node.string_or("activation", "");
  Activation result;
  if (name == "Relu") result.kind = Activation::Kind::relu;
  if (name == "LeakyRelu") result.kind = Activation::Kind::leaky_relu;
  if (name == "Clip") result.kind = Activation::Kind::clip;
  result.alpha = node.float_or("activation_alpha", 0.0F);
  result.beta = node.float_or("activation_beta", 0.0F);
  return result;
}

void apply(const Activation& activation, std::span<float> values) {
  const float alpha = activation.alpha;
  const float beta = activation.beta;
  switch (activation.kind) {
    case Activation::Kind::none:
      break;
    case Activation::Kind::relu:
      for (float& x : values) x = x < 0.0F ? 0.0F : x;
      break;
    case Activation::Kind::leaky_relu:
      for (float& x : values) x = x < 0.0F ? alpha * x : x;
      break;
    case Activation::Kind::clip:
      for (float& x : values) {
        const float low = x < alpha ? alpha : x;
        x = low > beta ? beta : low;
      }
      break;
  }
}

}  // namespace octavo::execute
