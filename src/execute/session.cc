#include <fmt/format.h>

#include <utility>

#include "executor_state.h"
#include "octavo/execute.h"
#include "step_context.h"

namespace octavo {

using execute::Program;
using execute::Step;

struct Executor::Session::State {
  State(const Program& compiled, ThreadPool* threads)
      : program(compiled), pool(threads), values(compiled.value_count, compiled.memory_limit) {
    for (const ValueId id : program.outputs) values.keep_as_tensor(id);
    for (const Step& step : program.steps) kernel_states.push_back(step.kernel->make_state());
  }

  void bind_inputs(std::span<const Tensor> inputs);
  void bind_constants();
  void run_step(std::size_t index, const Watcher& watcher);
  void watch(ValueId id, const Watcher& watcher) const;
  void finish_reads(const Step& step);
  void drop_unread(const Step& step);

  const Program& program;
  ThreadPool* pool;
  execute::ValueStore values;
  std::vector<std::unique_ptr<execute::KernelState>> kernel_states;
  std::vector<std::int32_t> readers_left;
};

namespace {

void check_input(const Program::Input& expected, const Tensor& given) {
  const auto fail = [&](const std::string& problem) {
    throw Error(ErrorCode::bad_data, fmt::format("input '{}': {}", expected.name, problem));
  };
  if (expected.dtype != DType::undefined && given.dtype() != expected.dtype) {
    fail(fmt::format("the tensor is of type {}, the model wants {}", name_of(given.dtype()), name_of(expected.dtype)));
  }
  if (!expected.dims) return;
  bool fits = expected.dims->size() == given.rank();
  for (std::size_t i = 0; fits && i < given.rank(); ++i) {
    fits = !(*expected.dims)[i].known() || (*expected.dims)[i].size == given.dim(i);
  }
  if (fits) return;
  std::string wanted;
  for (const Dim& dim : *expected.dims) {
    const std::string size = dim.known() ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
    wanted += (wanted.empty() ? "" : "x") + size;
  }
  fail(fmt::format("the tensor has shape {}, the model wants {}", execute::shape_text(given.shape()),
                   wanted.empty() ? "scalar" : wanted));
}

}  // namespace

void Executor::Session::State::bind_inputs(std::span<const Tensor> inputs) {
  if (inputs.size() != program.inputs.size()) {
    throw Error(ErrorCode::bad_data,
                fmt::format("the model has {} inputs, {} tensors were given", program.inputs.size(), inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_input(program.inputs[i], inputs[i]);
    values.bind(program.inputs[i].id, inputs[i]);
  }
}

void Executor::Session::State::bind_constants() {
  for (const Program::Constant& constant : program.constants) values.bind(constant.id, constant.tensor);
}

void Executor::Session::State::watch(ValueId id, const Watcher& watcher) const {
  if (watcher && id != kNoValue && program.watched[static_cast<std::size_t>(id)]) watcher(id, values.view(id));
}

void Executor::Session::State::finish_reads(const Step& step) {
  for (const ValueId id : step.inputs) {
    if (id == kNoValue) continue;
    const auto at = static_cast<std::size_t>(id);
    if (--readers_left[at] == 0 && !program.held[at]) values.release(id);
  }
}

void Executor::Session::State::drop_unread(const Step& step) {
  for (const ValueId id : step.outputs) {
    if (id == kNoValue) continue;
    const auto at = static_cast<std::size_t>(id);
    if (readers_left[at] == 0 && !program.held[at]) values.release(id);
  }
}

void Executor::Session::State::run_step(std::size_t index, const Watcher& watcher) {
  const Step& step = program.steps[index];
  {
    execute::StepContext context(step, values, &readers_left, kernel_states[index].get(), pool);
    context.execute();
  }
  finish_reads(step);
  for (const ValueId id : step.outputs) watch(id, watcher);
  drop_unread(step);
}

Executor::Session::Session(const Executor& executor, ThreadPool* pool)
    : state_(std::make_unique<State>(executor.state_->program, pool)) {}
Executor::Session::~Session() = default;
Executor::Session::Session(Session&&) noexcept = default;
Executor::Session& Executor::Session::operator=(Session&&) noexcept = default;

Executor::Session::Memory Executor::Session::memory() const {
  const execute::BufferPool& buffers = std::as_const(state_->values).pool();
  return {buffers.total_bytes(), buffers.allocations()};
}

std::vector<Tensor> Executor::Session::run(std::span<const Tensor> inputs, const Watcher& watcher) {
  State& state = *state_;
  // Also what a run that threw left behind.
  state.values.clear();
  state.readers_left = state.program.readers;
  state.bind_constants();
  state.bind_inputs(inputs);
  for (const Program::Constant& constant : state.program.constants) state.watch(constant.id, watcher);
  for (const Program::Input& input : state.program.inputs) state.watch(input.id, watcher);
  for (std::size_t i = 0; i < state.program.steps.size(); ++i) state.run_step(i, watcher);

  std::vector<Tensor> outputs;
  for (const ValueId id : state.program.outputs) outputs.push_back(state.values.take(id));
  state.values.clear();
  return outputs;
}

}  // namespace octavo
