#include <algorithm>
#include <array>
#include <vector>

#include "op.h"

namespace octavo::execute {
namespace {

struct Box {
  float left, top, right, bottom;
  float area() const { return (right - left) * (bottom - top); }
};

/// `values` are two opposite corners (y, x, y, x), or centre x, y, width and height.
Box make_box(const float* values, bool from_center) {
  if (from_center) {
    return {values[0] - values[2] / 2, values[1] - values[3] / 2, values[0] + values[2] / 2, values[1] + values[3] / 2};
  }
  return {std::min(values[1], values[3]), std::min(values[0], values[2]), std::max(values[1], values[3]),
          std::max(values[0], values[2])};
}

bool overlap_exceeds(const Box& a, const Box& b, float threshold) {
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (!(width > 0) || !(height > 0)) return false;
  const float shared = width * height;
  const float all = a.area() + b.area() - shared;
  return all > 0 && shared / all > threshold;
}

struct Limits {
  std::int64_t most = 0;
  float overlap = 0.0F;
  float score = 0.0F;
  bool has_score = false;
};

/// Boxes of one class that survive, best first.
std::vector<std::int64_t> select(const std::vector<Box>& boxes, const float* scores, const Limits& limits) {
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    // NaN, which no order knows, is never selected.
    if (scores[i] == scores[i] && (!limits.has_score || scores[i] > limits.score))
      order.push_back(static_cast<std::int64_t>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  std::vector<std::int64_t> selected;
  for (const std::int64_t candidate : order) {
    if (static_cast<std::int64_t>(selected.size()) >= limits.most) break;
    const Box& box = boxes[static_cast<std::size_t>(candidate)];
    const bool hidden = std::any_of(selected.begin(), selected.end(), [&](std::int64_t kept) {
      return overlap_exceeds(boxes[static_cast<std::size_t>(kept)], box, limits.overlap);
    });
    if (!hidden) selected.push_back(candidate);
  }
  return selected;
}

class NonMaxSuppression : public Kernel {
 public:
  explicit NonMaxSuppression(const NodeContext& context)
      : from_center_(context.node.int_or("center_point_box", 0) != 0) {}

  void run(RunContext& context) const override {
    context.expect_rank(0, 3);
    context.expect_rank(1, 3);
    const float* boxes = context.data<float>(0).data();
    const float* scores = context.data<float>(1).data();
    const std::int64_t batches = context.shape(0)[0];
    const std::int64_t count = context.shape(0)[1];
    const std::int64_t classes = context.shape(1)[1];
    if (context.shape(0)[2] != 4 || context.shape(1)[0] != batches || context.shape(1)[2] != count) {
      context.fail("boxes of shape " + shape_text(context.shape(0)) + " and scores of shape " +
                   shape_text(context.shape(1)) + " do not fit together");
    }
    const Limits limits = read_limits(context);
    std::vector<std::array<std::int64_t, 3>> results;
    if (limits.most > 0 && count > 0) {
      for (std::int64_t batch = 0; batch < batches; ++batch) {
        std::vector<Box> decoded;
        for (std::int64_t i = 0; i < count; ++i)
          decoded.push_back(make_box(boxes + (batch * count + i) * 4, from_center_));
        for (std::int64_t c = 0; c < classes; ++c) {
          for (const std::int64_t box : select(decoded, scores + (batch * classes + c) * count, limits))
            results.push_back({batch, c, box});
        }
      }
    }
    auto y = context.output<std::int64_t>(0, {static_cast<std::int64_t>(results.size()), 3}).begin();
    for (const auto& result : results) y = std::copy(result.begin(), result.end(), y);
  }

 private:
  static Limits read_limits(const RunContext& context) {
    Limits limits;
    if (context.has_input(2)) {
      const auto most = context.integers(2);
      if (most.size() != 1) context.fail("max_output_boxes_per_class is not one number");
      limits.most = most[0];
    }
    if (context.has_input(3)) limits.overlap = static_cast<float>(context.number(3));
    if (!(limits.overlap >= 0 && limits.overlap <= 1)) context.fail("iou_threshold is not within [0, 1]");
    limits.has_score = context.has_input(4);
    if (limits.has_score) limits.score = static_cast<float>(context.number(4));
    return limits;
  }

  const bool from_center_;
};

}  // namespace

std::unique_ptr<Kernel> make_non_max_suppression(const NodeContext& context) {
  return std::make_unique<NonMaxSuppression>(context);
}

}  // namespace octavo::execute
