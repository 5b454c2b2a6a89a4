#pragma once

#include "octavo/parallel.h"
#include "op.h"
#include "program.h"
#include "value_store.h"

namespace octavo::execute {

/// The run of one step over the values of a store.
class StepContext final : public RunContext {
 public:
  /// `readers_left` by ValueId, this step's own reads included; null where nothing may be overwritten.
  StepContext(const Step& step, ValueStore& values, const std::vector<std::int32_t>* readers_left, KernelState* state,
              ThreadPool* pool)
      : step_(step), values_(values), readers_left_(readers_left), state_(state), pool_(pool) {}
  ~StepContext() override;

  /// Runs the kernel and checks that it made every output.
  void execute();

  std::size_t input_count() const override { return step_.inputs.size(); }
  bool has_input(std::size_t i) const override { return i < step_.inputs.size() && step_.inputs[i] != kNoValue; }
  const TensorView& input(std::size_t i) const override;
  bool has_output(std::size_t i) const override { return i < step_.outputs.size() && step_.outputs[i] != kNoValue; }
  void* allocate(std::size_t i, DType dtype, Shape shape) override;
  void output_shares_input(std::size_t i, std::size_t j, Shape shape) override;
  void* allocate_over(std::size_t i, std::size_t j, DType dtype, Shape shape) override;
  void* scratch_bytes(std::size_t count) override;
  void for_each_worker(std::size_t count, const std::function<void(std::size_t, int)>& body) override;
  int workers() const override { return pool_ == nullptr ? 1 : pool_->threads(); }

 protected:
  const std::string& description() const override { return step_.description; }
  KernelState* kernel_state() override { return state_; }
  std::size_t output_size(std::size_t i) const override;

 private:
  ValueId output_id(std::size_t i) const;
  [[noreturn]] void fail_allocation(DType dtype, const std::string& shape) const;

  const Step& step_;
  ValueStore& values_;
  const std::vector<std::int32_t>* readers_left_;
  KernelState* state_;
  ThreadPool* pool_;
  std::vector<BufferPool::Index> scratch_;
};

}  // namespace octavo::execute
