// Elements by index: Gather, GatherElements, GatherND.
#include <algorithm>
#include <cstring>
#include <utility>

#include "elementwise.h"
#include "indices.h"
#include "op.h"
#include "strided_copy.h"

namespace octavo::execute {
namespace {

class Gather : public Kernel {
 public:
  explicit Gather(const NodeContext& context) : axis_(context.node.int_or("axis", 0)) {}

  void run(RunContext& context) const override {
    const Shape data = to_shape(context.shape(0));
    const std::size_t axis = normalize_axis(context, axis_, data.size());
    const Indices indices(context, 1);
    Shape output(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(axis));
    output.insert(output.end(), context.shape(1).begin(), context.shape(1).end());
    output.insert(output.end(), data.begin() + static_cast<std::ptrdiff_t>(axis) + 1, data.end());
    const DType dtype = context.dtype(0);
    auto* y = static_cast<std::byte*>(context.allocate(0, dtype, output));
    if (element_count(output) == 0) return;
    const auto* x = static_cast<const std::byte*>(context.input(0).bytes());
    const auto bytes = static_cast<std::size_t>(product(data, axis + 1, data.size())) * size_of(dtype);
    for (std::int64_t outer = 0; outer < product(data, 0, axis); ++outer) {
      for (std::size_t i = 0; i < indices.size(); ++i, y += bytes) {
        const std::int64_t row = outer * data[axis] + indices.at(i, data[axis]);
        std::memcpy(y, x + static_cast<std::size_t>(row) * bytes, bytes);
      }
    }
  }

 private:
  const std::int64_t axis_;
};

class GatherElements : public Kernel {
 public:
  explicit GatherElements(const NodeContext& context) : axis_(context.node.int_or("axis", 0)) {}

  void run(RunContext& context) const override {
    const Shape data = to_shape(context.shape(0));
    const Shape output = to_shape(context.shape(1));
    context.expect_rank(1, data.size());
    const std::size_t axis = normalize_axis(context, axis_, data.size());
    for (std::size_t i = 0; i < data.size(); ++i) {
      if (i != axis && output[i] > data[i])
        context.fail("indices of shape " + shape_text(output) + " reach beyond data of shape " + shape_text(data));
    }
    const Indices indices(context, 1);
    void* y = context.allocate(0, context.dtype(0), output);
    const auto strides = contiguous_strides(data);
    for_size_of(context, context.dtype(0), [&]<typename T>() {
      const T* x = raw_input<T>(context, 0);
      for (std::size_t i = 0; i < indices.size(); ++i) {
        std::int64_t offset = indices.at(i, data[axis]) * strides[axis];
        auto rest = static_cast<std::int64_t>(i);
        for (std::size_t d = output.size(); d-- > 0;) {
          if (d != axis) offset += rest % output[d] * strides[d];
          rest /= output[d];
        }
        static_cast<T*>(y)[i] = x[offset];
      }
    });
  }

 private:
  const std::int64_t axis_;
};

class GatherNd : public Kernel {
 public:
  explicit GatherNd(const NodeContext& context) : batch_dims_(context.node.int_or("batch_dims", 0)) {}

  void run(RunContext& context) const override {
    const Shape data = to_shape(context.shape(0));
    const Shape places = to_shape(context.shape(1));
    const std::size_t batch = checked_batch_dims(context, data, places);
    const auto depth = static_cast<std::size_t>(places.back());
    Shape output(places.begin(), places.end() - 1);
    output.insert(output.end(), data.begin() + static_cast<std::ptrdiff_t>(batch + depth), data.end());
    const Indices indices(context, 1);
    const DType dtype = context.dtype(0);
    auto* y = static_cast<std::byte*>(context.allocate(0, dtype, output));
    if (element_count(output) == 0) return;
    const auto* x = static_cast<const std::byte*>(context.input(0).bytes());
    const auto bytes = static_cast<std::size_t>(product(data, batch + depth, data.size())) * size_of(dtype);
    const std::int64_t tuples = product(places, 0, places.size() - 1);
    const std::int64_t tuples_a_batch = product(places, batch, places.size() - 1);
    for (std::int64_t i = 0; i < tuples; ++i, y += bytes) {
      std::int64_t row = i / tuples_a_batch;
      for (std::size_t d = 0; d < depth; ++d) {
        row = row * data[batch + d] + indices.at(static_cast<std::size_t>(i) * depth + d, data[batch + d]);
      }
      std::memcpy(y, x + static_cast<std::size_t>(row) * bytes, bytes);
    }
  }

 private:
  std::size_t checked_batch_dims(const RunContext& context, const Shape& data, const Shape& places) const {
    const std::string shapes = "data of shape " + shape_text(data) + " and indices of shape " + shape_text(places);
    if (data.empty() || places.empty()) context.fail(shapes + ": at least one dimension each is expected");
    const auto batch = static_cast<std::size_t>(batch_dims_);
    if (batch_dims_ < 0 || batch >= data.size() || batch >= places.size() ||
        !std::equal(data.begin(), data.begin() + batch_dims_, places.begin()))
      context.fail(shapes + " do not share " + std::to_string(batch_dims_) + " batch dimensions");
    if (places.back() > static_cast<std::int64_t>(data.size() - batch))
      context.fail(shapes + ": an index has more numbers than data has dimensions");
    return batch;
  }

  const std::int64_t batch_dims_;
};

}  // namespace

std::unique_ptr<Kernel> make_gather(const NodeContext& context) { return std::make_unique<Gather>(context); }
std::unique_ptr<Kernel> make_gather_elements(const NodeContext& context) {
  return std::make_unique<GatherElements>(context);
}
std::unique_ptr<Kernel> make_gather_nd(const NodeContext& context) { return std::make_unique<GatherNd>(context); }

}  // namespace octavo::execute
