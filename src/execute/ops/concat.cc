// Concat and Split.
#include <cstring>

#include "integers_argument.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// Copies `rows` rows of `bytes` between buffers whose rows lie `to_pitch` and `from_pitch` bytes apart.
void copy_rows(std::byte* to, std::int64_t to_pitch, const std::byte* from, std::int64_t from_pitch, std::int64_t rows,
               std::int64_t bytes) {
  if (bytes == 0) return;
  for (std::int64_t i = 0; i < rows; ++i)
    std::memcpy(to + i * to_pitch, from + i * from_pitch, static_cast<std::size_t>(bytes));
}

class Concat : public Kernel {
 public:
  explicit Concat(const NodeContext& context) : axis_(context.node.int_or("axis", 1)) {}

  void run(RunContext& context) const override {
    Shape shape = to_shape(context.shape(0));
    const std::size_t axis = normalize_axis(context, axis_, shape.size());
    for (std::size_t i = 1; i < context.input_count(); ++i) append(context, i, axis, shape);
    const DType dtype = context.dtype(0);
    auto* y = static_cast<std::byte*>(context.allocate(0, dtype, shape));
    if (element_count(shape) == 0) return;
    const std::int64_t rows = product(shape, 0, axis);
    const std::int64_t element = product(shape, axis + 1, shape.size()) * static_cast<std::int64_t>(size_of(dtype));
    const std::int64_t pitch = shape[axis] * element;
    for (std::size_t i = 0; i < context.input_count(); ++i) {
      const std::int64_t bytes = context.shape(i)[axis] * element;
      copy_rows(y, pitch, static_cast<const std::byte*>(context.input(i).bytes()), bytes, rows, bytes);
      y += bytes;
    }
  }

 private:
  static void append(const RunContext& context, std::size_t i, std::size_t axis, Shape& shape) {
    context.expect_dtype(i, context.dtype(0));
    context.expect_rank(i, shape.size());
    Shape other = to_shape(context.shape(i));
    const std::int64_t added = other[axis];
    other[axis] = shape[axis];
    if (other != shape || __builtin_add_overflow(shape[axis], added, &shape[axis])) {
      context.fail("input " + std::to_string(i) + " of shape " + shape_text(context.shape(i)) +
                   " does not fit behind the ones before it, of shape " + shape_text(shape));
    }
  }

  const std::int64_t axis_;
};

class Split : public Kernel {
 public:
  explicit Split(const NodeContext& context)
      : axis_(context.node.int_or("axis", 0)),
        split_(context, "split", 1, 13),
        parts_(context.output_count()),
        uneven_(context.opset >= 18) {
    const auto declared = context.node.int_or("num_outputs", static_cast<std::int64_t>(parts_));
    if (declared != static_cast<std::int64_t>(parts_)) context.fail("num_outputs is not the number of outputs");
  }

  void run(RunContext& context) const override {
    Shape shape = to_shape(context.shape(0));
    const std::size_t axis = normalize_axis(context, axis_, shape.size());
    const std::vector<std::int64_t> sizes = read_sizes(context, shape[axis]);
    const DType dtype = context.dtype(0);
    const std::int64_t rows = product(shape, 0, axis);
    const std::int64_t element = product(shape, axis + 1, shape.size()) * static_cast<std::int64_t>(size_of(dtype));
    const std::int64_t pitch = shape[axis] * element;
    const auto* x = static_cast<const std::byte*>(context.input(0).bytes());
    for (std::size_t i = 0; i < parts_; ++i) {
      const std::int64_t bytes = sizes[i] * element;
      if (context.has_output(i)) {
        shape[axis] = sizes[i];
        auto* y = static_cast<std::byte*>(context.allocate(i, dtype, shape));
        copy_rows(y, bytes, x, pitch, rows, bytes);
      }
      x += bytes;
    }
  }

 private:
  std::vector<std::int64_t> read_sizes(const RunContext& context, std::int64_t dim) const {
    if (auto sizes = split_.read(context)) {
      std::int64_t left = dim;
      for (const std::int64_t size : *sizes) {
        if (size < 0 || size > left) context.fail("the parts do not add up to the dimension of " + std::to_string(dim));
        left -= size;
      }
      if (left != 0 || sizes->size() != parts_)
        context.fail("the parts do not add up to the dimension of " + std::to_string(dim));
      return *sizes;
    }
    const auto count = static_cast<std::int64_t>(parts_);
    if (!uneven_ && dim % count != 0) context.fail("the dimension of " + std::to_string(dim) + " has no equal parts");
    const std::int64_t size = dim / count + (dim % count != 0 ? 1 : 0);
    std::vector<std::int64_t> sizes(parts_, size);
    sizes.back() = dim - size * (count - 1);
    if (sizes.back() < 0) context.fail("the dimension of " + std::to_string(dim) + " has too few elements");
    return sizes;
  }

  const std::int64_t axis_;
  const IntegersArgument split_;
  const std::size_t parts_;
  const bool uneven_;
};

}  // namespace

std::unique_ptr<Kernel> make_concat(const NodeContext& context) { return std::make_unique<Concat>(context); }
std::unique_ptr<Kernel> make_split(const NodeContext& context) {
  if (context.output_count() == 0) context.fail("an output is expected");
  return std::make_unique<Split>(context);
}

}  // namespace octavo::execute
