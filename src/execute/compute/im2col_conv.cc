#include <algorithm>
#include <utility>

#include "compute/conv.h"
#include "compute/gemm.h"
#include "compute/im2col.h"

namespace octavo::execute {
namespace {

/// Floats of one block of columns: about what a second-level cache holds.
constexpr std::int64_t kBlockFloats = 1 << 17;

bool is_pointwise(const ConvShape& shape) {
  return std::all_of(shape.windows.begin(), shape.windows.end(), [](const Window& window) {
    return window.kernel == 1 && window.stride == 1 && window.pad_begin == 0 && window.pad_end == 0;
  });
}

class Im2colConvolution : public Convolution {
 public:
  explicit Im2colConvolution(ConvParameters parameters) : parameters_(std::move(parameters)) {}

  void run(RunContext& context, const ConvShape& shape, std::int64_t images, const float* x, float* y) const override {
    const std::int64_t depth = parameters_.weights.size() / parameters_.out_channels();
    const std::int64_t positions = shape.output_size();
    const std::int64_t block =
        std::clamp<std::int64_t>(kBlockFloats / depth, std::min<std::int64_t>(positions, 64), positions);
    const std::int64_t blocks = (positions + block - 1) / block;
    const std::int64_t groups = parameters_.groups;
    const bool pointwise = is_pointwise(shape);
    const auto columns = context.scratch<float>(
        pointwise ? 0 : static_cast<std::size_t>(depth * block) * static_cast<std::size_t>(context.workers()));
    const auto pieces = static_cast<std::size_t>(images * groups * blocks);
    context.for_each_worker(pieces, [&](std::size_t piece, int worker) {
      const auto index = static_cast<std::int64_t>(piece);
      const std::int64_t group = index / blocks % groups;
      const std::int64_t begin = index % blocks * block;
      const std::int64_t end = std::min(begin + block, positions);
      const float* image = x + (index / blocks) * parameters_.weights.dim(1) * shape.input_size();
      float* out = y + (index / blocks) * (parameters_.out_channels() / groups) * positions + begin;
      Matrix patches{image + begin, positions, false};
      if (!pointwise) {
        float* own = columns.data() + worker * depth * block;
        im2col(image, parameters_.weights.dim(1), shape, begin, end, 0.0F, own);
        patches = {own, end - begin, false};
      }
      multiply(group, end - begin, patches, out, positions);
    });
  }

 private:
  void multiply(std::int64_t group, std::int64_t columns, const Matrix& patches, float* out,
                std::int64_t out_stride) const {
    const std::int64_t channels = parameters_.out_channels() / parameters_.groups;
    const std::int64_t depth = parameters_.weights.size() / parameters_.out_channels();
    const float* weights = parameters_.weights.data<float>().data() + group * channels * depth;
    gemm(channels, columns, depth, 1.0F, {weights, depth, false}, patches, 0.0F, out, out_stride);
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      float* row = out + channel * out_stride;
      if (!parameters_.bias.empty()) {
        const float bias = parameters_.bias[static_cast<std::size_t>(group * channels + channel)];
        for (std::int64_t i = 0; i < columns; ++i) row[i] += bias;
      }
      apply(parameters_.activation, {row, static_cast<std::size_t>(columns)});
    }
  }

  ConvParameters parameters_;
};

}  // namespace

std::int64_t ConvShape::input_size() const {
  std::int64_t size = 1;
  for (const std::int64_t dim : input) size *= dim;
  return size;
}

std::int64_t ConvShape::output_size() const {
  std::int64_t size = 1;
  for (const Window& window : windows) size *= window.output;
  return size;
}

bool operator==(const ConvShape& a, const ConvShape& b) {
  return a.input == b.input && std::equal(a.windows.begin(), a.windows.end(), b.windows.begin(), b.windows.end(),
                                          [](const Window& l, const Window& r) {
                                            return l.kernel == r.kernel && l.stride == r.stride &&
                                                   l.dilation == r.dilation && l.pad_begin == r.pad_begin &&
                                                   l.pad_end == r.pad_end && l.output == r.output;
                                          });
}

std::unique_ptr<Convolution> make_im2col_convolution(ConvParameters parameters) {
  return std::make_unique<Im2colConvolution>(std::move(parameters));
}

}  // namespace octavo::execute
