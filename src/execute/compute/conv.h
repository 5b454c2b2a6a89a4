#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "compute/activation.h"
#include "octavo/core/tensor.h"
#include "octavo/graph.h"
#include "op.h"

namespace octavo::execute {

/// What a convolution multiplies by; the same for all inputs.
struct ConvParameters {
  Tensor weights;           ///< f32, out_channels x in_channels / groups x kernel…
  std::vector<float> bias;  ///< one for each output channel, or none
  std::int64_t groups = 1;
  Activation activation;

  std::int64_t out_channels() const { return weights.dim(0); }
  std::int64_t in_channels() const { return weights.dim(1) * groups; }
};

/// Shape of one image on its way through a convolution.
struct ConvShape {
  std::vector<std::int64_t> input;  ///< spatial sizes
  std::vector<Window> windows;      ///< as many

  std::int64_t input_size() const;  ///< positions of the input, all spatial sizes multiplied
  std::int64_t output_size() const;
  friend bool operator==(const ConvShape& a, const ConvShape& b);
};

/// A convolution with its weights packed. Sessions share it.
class Convolution {
 public:
  Convolution() = default;
  Convolution(const Convolution&) = delete;
  Convolution& operator=(const Convolution&) = delete;
  virtual ~Convolution() = default;
  /// x: images x in_channels x input…, y: images x out_channels x output…; none of the sizes is 0.
  virtual void run(RunContext& context, const ConvShape& shape, std::int64_t images, const float* x,
                   float* y) const = 0;
};

/// The fastest one the build has.
std::unique_ptr<Convolution> make_convolution(ConvParameters parameters);
/// Patches as columns, then `gemm`: any number of dimensions, any geometry. Every build has it.
std::unique_ptr<Convolution> make_im2col_convolution(ConvParameters parameters);

}  // namespace octavo::execute
