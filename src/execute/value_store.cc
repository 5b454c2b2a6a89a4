#include "value_store.h"

#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <utility>

namespace octavo::execute {

namespace {

std::optional<std::size_t> checked_byte_size(DType dtype, const Shape& shape) {
  const auto count = checked_element_count(shape);
  if (!count || size_of(dtype) == 0) return std::nullopt;
  if (static_cast<std::size_t>(*count) > std::numeric_limits<std::size_t>::max() / size_of(dtype)) return std::nullopt;
  return static_cast<std::size_t>(*count) * size_of(dtype);
}

}  // namespace

void ValueStore::set(Slot& slot, DType dtype, Shape shape, void* data) {
  slot.shape = std::move(shape);
  slot.data = data;
  slot.view = TensorView(dtype, slot.shape, data);
}

void ValueStore::bind(ValueId id, Tensor tensor) {
  Slot& bound = slot(id);
  bound.tensor = std::move(tensor);
  bound.buffer = BufferPool::kNone;
  // `data` is written through only where the slot owns a buffer or a kept tensor made here.
  set(bound, bound.tensor.dtype(), bound.tensor.shape(), const_cast<std::byte*>(bound.tensor.bytes()));
}

void* ValueStore::allocate(ValueId id, DType dtype, Shape shape) {
  const auto bytes = checked_byte_size(dtype, shape);
  if (!bytes) return nullptr;
  Slot& target = slot(id);
  if (target.kept) {
    if (!pool_.charge(*bytes)) return nullptr;
    try {
      target.tensor = Tensor(dtype, shape, true);
    } catch (const std::bad_alloc&) {
      pool_.discharge(*bytes);
      return nullptr;
    }
    set(target, dtype, std::move(shape), target.tensor.mutable_bytes());
    return target.data;
  }
  target.buffer = pool_.acquire(*bytes);
  if (target.buffer == BufferPool::kNone) return nullptr;
  set(target, dtype, std::move(shape), pool_.data(target.buffer));
  return target.data;
}

bool ValueStore::can_overwrite(ValueId old) const {
  const Slot& candidate = slot(old);
  return candidate.buffer != BufferPool::kNone && pool_.users(candidate.buffer) == 1;
}

void* ValueStore::allocate_over(ValueId id, ValueId old, DType dtype, Shape shape) {
  const auto bytes = checked_byte_size(dtype, shape);
  const Slot& source = slot(old);
  const std::size_t available = static_cast<std::size_t>(source.view.size()) * size_of(source.view.dtype());
  Slot& target = slot(id);
  if (target.kept || !can_overwrite(old) || bytes != available) return allocate(id, dtype, std::move(shape));
  target.buffer = source.buffer;
  pool_.add_user(target.buffer);
  set(target, dtype, std::move(shape), source.data);
  return target.data;
}

bool ValueStore::share(ValueId id, ValueId source_id, Shape shape) {
  const Slot& source = slot(source_id);
  Slot& target = slot(id);
  if (source.buffer == BufferPool::kNone) {
    bind(id, source.tensor.reshaped(std::move(shape)));
    return true;
  }
  if (target.kept) {
    void* copy = allocate(id, source.view.dtype(), std::move(shape));
    if (copy == nullptr) return false;
    std::memcpy(copy, source.data, target.tensor.byte_size());
    return true;
  }
  target.buffer = source.buffer;
  pool_.add_user(target.buffer);
  set(target, source.view.dtype(), std::move(shape), source.data);
  return true;
}

void ValueStore::release(ValueId id) {
  Slot& old = slot(id);
  if (old.buffer != BufferPool::kNone) pool_.release(std::exchange(old.buffer, BufferPool::kNone));
  old.tensor = Tensor();
  old.data = nullptr;
}

Tensor ValueStore::take(ValueId id) { return slot(id).tensor; }

void ValueStore::clear() {
  for (Slot& slot : slots_) {
    slot.tensor = Tensor();
    slot.buffer = BufferPool::kNone;
    slot.data = nullptr;
  }
  pool_.release_all();
  pool_.begin_run();
}

}  // namespace octavo::execute
