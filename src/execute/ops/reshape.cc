// The same elements under another shape: Reshape, Flatten, Squeeze, Unsqueeze.
#include <utility>

#include "integers_argument.h"
#include "op.h"

namespace octavo::execute {
namespace {

class Reshape : public Kernel {
 public:
  explicit Reshape(const NodeContext& context) : allows_zero_(context.node.int_or("allowzero", 0) != 0) {}

  void run(RunContext& context) const override {
    const auto input = context.shape(0);
    Shape output = context.integers(1);
    std::optional<std::size_t> open;
    for (std::size_t i = 0; i < output.size(); ++i) {
      if (output[i] == 0 && !allows_zero_) {
        if (i >= input.size()) context.fail("0 at place " + std::to_string(i) + " copies no dimension of the input");
        output[i] = input[i];
      } else if (output[i] == -1 && !open) {
        open = i;
        output[i] = 1;
      } else if (output[i] < 0) {
        context.fail("dimension " + std::to_string(output[i]) + " at place " + std::to_string(i) + " is impossible");
      }
    }
    if (open) output[*open] = remaining(context, output);
    context.output_shares_input(0, 0, std::move(output));
  }

 private:
  static std::int64_t remaining(const RunContext& context, const Shape& known) {
    const std::int64_t size = context.input(0).size();
    const auto others = checked_element_count(known);
    if (!others || (*others == 0 ? size != 0 : size % *others != 0)) {
      context.fail("the elements of shape " + shape_text(context.shape(0)) + " do not fill the dimensions given");
    }
    return *others == 0 ? 0 : size / *others;
  }

  const bool allows_zero_;
};

class Flatten : public Kernel {
 public:
  explicit Flatten(const NodeContext& context) : axis_(context.node.int_or("axis", 1)) {}

  void run(RunContext& context) const override {
    const auto input = context.shape(0);
    const bool whole = axis_ == static_cast<std::int64_t>(input.size());
    const std::size_t axis = whole ? input.size() : normalize_axis(context, axis_, input.size());
    context.output_shares_input(0, 0, {product(input, 0, axis), product(input, axis, input.size())});
  }

 private:
  const std::int64_t axis_;
};

class Squeeze : public Kernel {
 public:
  explicit Squeeze(const NodeContext& context) : axes_(context, "axes", 1, 13) {}

  void run(RunContext& context) const override {
    const auto input = context.shape(0);
    const auto axes = axes_.read(context);
    const auto marks = mark_axes(context, axes.value_or(std::vector<std::int64_t>()), input.size());
    Shape output;
    for (std::size_t i = 0; i < input.size(); ++i) {
      const bool leaves = axes ? marks[i] : input[i] == 1;
      if (leaves && input[i] != 1)
        context.fail("dimension " + std::to_string(i) + " of shape " + shape_text(input) + " is not 1");
      if (!leaves) output.push_back(input[i]);
    }
    context.output_shares_input(0, 0, std::move(output));
  }

 private:
  const IntegersArgument axes_;
};

class Unsqueeze : public Kernel {
 public:
  explicit Unsqueeze(const NodeContext& context) : axes_(context, "axes", 1, 13) {}

  void run(RunContext& context) const override {
    const auto input = context.shape(0);
    const auto axes = axes_.read(context);
    if (!axes) context.fail("no axes are given");
    const auto marks = mark_axes(context, *axes, input.size() + axes->size());
    Shape output;
    auto dim = input.begin();
    for (const bool added : marks) output.push_back(added ? 1 : *dim++);
    context.output_shares_input(0, 0, std::move(output));
  }

 private:
  const IntegersArgument axes_;
};

}  // namespace

std::unique_ptr<Kernel> make_reshape(const NodeContext& context) { return std::make_unique<Reshape>(context); }
std::unique_ptr<Kernel> make_flatten(const NodeContext& context) { return std::make_unique<Flatten>(context); }
std::unique_ptr<Kernel> make_squeeze(const NodeContext& context) { return std::make_unique<Squeeze>(context); }
std::unique_ptr<Kernel> make_unsqueeze(const NodeContext& context) { return std::make_unique<Unsqueeze>(context); }

}  // namespace octavo::execute
