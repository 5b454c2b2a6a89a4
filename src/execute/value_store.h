#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "buffers.h"
#include "octavo/core/tensor.h"
#include "octavo/graph.h"

namespace octavo::execute {

/// The values of one run: where each one's elements are while it is alive. Inputs, constants and graph
/// outputs are tensors of their own; everything between takes a buffer of the pool.
class ValueStore {
 public:
  ValueStore(std::size_t value_count, std::size_t memory_limit) : slots_(value_count), pool_(memory_limit) {}

  /// Makes `id` read `tensor`, which is not written to.
  void bind(ValueId id, Tensor tensor);
  /// Outputs of the graph leave the session, so they never take a buffer of the pool.
  void keep_as_tensor(ValueId id) { slot(id).kept = true; }
  bool alive(ValueId id) const { return slot(id).data != nullptr; }
  const TensorView& view(ValueId id) const { return slot(id).view; }

  /// Null where the limit or the machine's memory does not allow it.
  void* allocate(ValueId id, DType dtype, Shape shape);
  /// As `allocate`, in the place of `old`. The caller makes sure that nobody else reads `old`.
  void* allocate_over(ValueId id, ValueId old, DType dtype, Shape shape);
  bool can_overwrite(ValueId old) const;
  /// False where a copy was needed and memory did not allow it.
  bool share(ValueId id, ValueId source, Shape shape);
  void release(ValueId id);
  /// The tensor of a value that is bound or kept.
  Tensor take(ValueId id);
  /// Forgets all values.
  void clear();

  BufferPool& pool() { return pool_; }
  const BufferPool& pool() const { return pool_; }

 private:
  struct Slot {
    Tensor tensor;  // the elements' owner where `buffer` is kNone
    BufferPool::Index buffer = BufferPool::kNone;
    void* data = nullptr;
    bool kept = false;
    Shape shape;
    TensorView view;
  };
  Slot& slot(ValueId id) { return slots_[static_cast<std::size_t>(id)]; }
  const Slot& slot(ValueId id) const { return slots_[static_cast<std::size_t>(id)]; }
  static void set(Slot& slot, DType dtype, Shape shape, void* data);

  std::vector<Slot> slots_;
  BufferPool pool_;
};

}  // namespace octavo::execute
