#include "step_context.h"

#include <fmt/format.h>

#include <algorithm>

namespace octavo::execute {

StepContext::~StepContext() {
  for (const BufferPool::Index index : scratch_) values_.pool().release(index);
}

void StepContext::execute() {
  step_.kernel->run(*this);
  for (const ValueId id : step_.outputs) {
    if (id != kNoValue && !values_.alive(id))
      fail(ErrorCode::internal, "the operator left out an output that is listed");
  }
}

const TensorView& StepContext::input(std::size_t i) const {
  if (!has_input(i)) fail(fmt::format("input {} is required but left out", i));
  return values_.view(step_.inputs[i]);
}

ValueId StepContext::output_id(std::size_t i) const {
  if (!has_output(i)) fail(fmt::format("output {} is required but left out", i));
  return step_.outputs[i];
}

std::size_t StepContext::output_size(std::size_t i) const {
  return static_cast<std::size_t>(values_.view(output_id(i)).size());
}

void* StepContext::allocate(std::size_t i, DType dtype, Shape shape) {
  const std::string text = shape_text(shape);
  void* data = values_.allocate(output_id(i), dtype, std::move(shape));
  if (data == nullptr) fail_allocation(dtype, text);
  return data;
}

void* StepContext::allocate_over(std::size_t i, std::size_t j, DType dtype, Shape shape) {
  const ValueId old = has_input(j) ? step_.inputs[j] : kNoValue;
  const bool dies = old != kNoValue && readers_left_ != nullptr && (*readers_left_)[static_cast<std::size_t>(old)] == 1;
  if (!dies) return allocate(i, dtype, std::move(shape));
  const std::string text = shape_text(shape);
  void* data = values_.allocate_over(output_id(i), old, dtype, std::move(shape));
  if (data == nullptr) fail_allocation(dtype, text);
  return data;
}

void StepContext::output_shares_input(std::size_t i, std::size_t j, Shape shape) {
  const TensorView& source = input(j);
  const auto count = checked_element_count(shape);
  if (!count || *count != source.size()) {
    fail(fmt::format("shape {} does not hold the {} elements of {}", shape_text(shape), source.size(),
                     shape_text(source.shape())));
  }
  const std::string text = shape_text(shape);
  const DType dtype = source.dtype();
  if (!values_.share(output_id(i), step_.inputs[j], std::move(shape))) fail_allocation(dtype, text);
}

void* StepContext::scratch_bytes(std::size_t count) {
  const BufferPool::Index index = values_.pool().acquire(count);
  if (index == BufferPool::kNone) fail_allocation(DType::u8, std::to_string(count));
  scratch_.push_back(index);
  return values_.pool().data(index);
}

void StepContext::for_each_worker(std::size_t count, const std::function<void(std::size_t, int)>& body) {
  if (pool_ == nullptr || count < 2) {
    for (std::size_t i = 0; i < count; ++i) body(i, 0);
    return;
  }
  pool_->for_each(count, body);
}

void StepContext::fail_allocation(DType dtype, const std::string& shape) const {
  fail(ErrorCode::resource_limit,
       fmt::format("a tensor {} of {} would exceed the memory limit of the run", shape, name_of(dtype)));
}

}  // namespace octavo::execute
