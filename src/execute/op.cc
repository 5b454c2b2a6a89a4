#include "op.h"

#include <limits>

namespace octavo::execute {

void NodeContext::fail(const std::string& problem) const {
  throw Error(ErrorCode::bad_model, describe(graph, id) + ": " + problem);
}

void NodeContext::unsupported(const std::string& problem) const {
  throw Error(ErrorCode::unsupported, describe(graph, id) + ": " + problem);
}

void RunContext::fail(ErrorCode code, const std::string& problem) const {
  throw Error(code, description() + ": " + problem);
}

void RunContext::expect_dtype(std::size_t i, DType expected) const {
  if (dtype(i) == expected) return;
  fail("input " + std::to_string(i) + " has type " + std::string(name_of(dtype(i))) + ", expected " +
       std::string(name_of(expected)));
}

void RunContext::expect_rank(std::size_t i, std::size_t rank) const {
  if (shape(i).size() == rank) return;
  fail("input " + std::to_string(i) + " has shape " + shape_text(shape(i)) + ", expected " + std::to_string(rank) +
       " dimensions");
}

std::vector<std::int64_t> RunContext::integers(std::size_t i) const {
  if (dtype(i) == DType::i32) {
    const auto values = data<std::int32_t>(i);
    return {values.begin(), values.end()};
  }
  const auto values = data<std::int64_t>(i);
  return {values.begin(), values.end()};
}

double RunContext::number(std::size_t i) const {
  if (input(i).size() != 1)
    fail("input " + std::to_string(i) + " has shape " + shape_text(shape(i)) + ", expected one number");
  double result = 0;
  for_numeric_type_of(*this, i, [&]<typename T>() { result = static_cast<double>(data<T>(i)[0]); });
  return result;
}

std::size_t RunContext::checked_bytes(std::size_t count, std::size_t element) const {
  if (count > std::numeric_limits<std::size_t>::max() / element) {
    fail(ErrorCode::resource_limit, "needs more memory than can be addressed");
  }
  return count * element;
}

std::size_t normalize_axis(const RunContext& context, std::int64_t axis, std::size_t rank) {
  const auto dims = static_cast<std::int64_t>(rank);
  if (axis < -dims || axis >= dims) {
    context.fail("axis " + std::to_string(axis) + " is out of range for " + std::to_string(rank) + " dimensions");
  }
  return static_cast<std::size_t>(axis < 0 ? axis + dims : axis);
}

std::string shape_text(std::span<const std::int64_t> shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dim : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dim);
  }
  return text;
}

std::int64_t product(std::span<const std::int64_t> shape, std::size_t begin, std::size_t end) {
  std::int64_t result = 1;
  for (std::size_t i = begin; i < end; ++i) result *= shape[i];
  return result;
}

}  // namespace octavo::execute
