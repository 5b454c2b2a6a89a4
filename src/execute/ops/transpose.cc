// Transpose, and DepthToSpace and SpaceToDepth, which are one between two reshapes.
#include <numeric>
#include <utility>

#include "op.h"
#include "strided_copy.h"

namespace octavo::execute {
namespace {

/// Writes input 0, seen as `shape`, with its dimensions in the order `permutation`, as `output`.
void permute(RunContext& context, const Shape& shape, const std::vector<std::size_t>& permutation, Shape output) {
  const auto strides = contiguous_strides(shape);
  StridedSource source;
  for (const std::size_t axis : permutation) {
    source.shape.push_back(shape[axis]);
    source.strides.push_back(strides[axis]);
  }
  copy_strided(context, std::move(source), std::move(output));
}

class Transpose : public Kernel {
 public:
  explicit Transpose(const NodeContext& context) : permutation_(context.node.ints_or("perm", {})) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    const auto permutation = checked_permutation(context, shape.size());
    Shape output;
    for (const std::size_t axis : permutation) output.push_back(shape[axis]);
    permute(context, shape, permutation, std::move(output));
  }

 private:
  std::vector<std::size_t> checked_permutation(const RunContext& context, std::size_t rank) const {
    std::vector<std::size_t> result(rank);
    if (permutation_.empty()) {
      std::iota(result.rbegin(), result.rend(), std::size_t{0});
      return result;
    }
    if (permutation_.size() != rank) context.fail("perm has another length than the input's shape");
    std::vector<bool> seen(rank);
    for (std::size_t i = 0; i < rank; ++i) {
      result[i] = normalize_axis(context, permutation_[i], rank);
      if (seen[result[i]]) context.fail("perm names dimension " + std::to_string(result[i]) + " twice");
      seen[result[i]] = true;
    }
    return result;
  }

  const std::vector<std::int64_t> permutation_;
};

std::int64_t read_block_size(const NodeContext& context) {
  const std::int64_t block = context.node.int_or("blocksize", 0);
  if (block < 1 || block > 65536) context.fail("blocksize " + std::to_string(block) + " is out of range");
  return block;
}

class DepthToSpace : public Kernel {
 public:
  explicit DepthToSpace(const NodeContext& context) : block_(read_block_size(context)) {
    const std::string mode = context.node.string_or("mode", "DCR");
    if (mode != "DCR" && mode != "CRD") context.fail("mode '" + mode + "' is unknown, expected DCR or CRD");
    depth_first_ = mode == "DCR";
  }

  void run(RunContext& context) const override {
    context.expect_rank(0, 4);
    const Shape x = to_shape(context.shape(0));
    if (x[1] % (block_ * block_) != 0) context.fail("the channels of " + shape_text(x) + " do not fill the blocks");
    const std::int64_t channels = x[1] / (block_ * block_);
    Shape output{x[0], channels, 0, 0};
    for (const std::size_t axis : {2, 3}) {
      if (__builtin_mul_overflow(x[axis], block_, &output[axis])) context.fail("the output is too large");
    }
    if (depth_first_)
      permute(context, {x[0], block_, block_, channels, x[2], x[3]}, {0, 3, 4, 1, 5, 2}, std::move(output));
    else
      permute(context, {x[0], channels, block_, block_, x[2], x[3]}, {0, 1, 4, 2, 5, 3}, std::move(output));
  }

 private:
  const std::int64_t block_;
  bool depth_first_ = true;
};

class SpaceToDepth : public Kernel {
 public:
  explicit SpaceToDepth(const NodeContext& context) : block_(read_block_size(context)) {}

  void run(RunContext& context) const override {
    context.expect_rank(0, 4);
    const Shape x = to_shape(context.shape(0));
    if (x[2] % block_ != 0 || x[3] % block_ != 0) context.fail("the input of " + shape_text(x) + " is no whole blocks");
    const std::int64_t height = x[2] / block_;
    const std::int64_t width = x[3] / block_;
    Shape output{x[0], 0, height, width};
    if (__builtin_mul_overflow(x[1], block_ * block_, &output[1])) context.fail("the output is too large");
    permute(context, {x[0], x[1], height, block_, width, block_}, {0, 3, 5, 1, 2, 4}, std::move(output));
  }

 private:
  const std::int64_t block_;
};

}  // namespace

std::unique_ptr<Kernel> make_transpose(const NodeContext& context) { return std::make_unique<Transpose>(context); }
std::unique_ptr<Kernel> make_depth_to_space(const NodeContext& context) {
  return std::make_unique<DepthToSpace>(context);
}
std::unique_ptr<Kernel> make_space_to_depth(const NodeContext& context) {
  return std::make_unique<SpaceToDepth>(context);
}

}  // namespace octavo::execute
