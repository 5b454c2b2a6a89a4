#include "buffers.h"

#include <new>

#include "octavo/core/tensor.h"

namespace octavo::execute {

void BufferPool::Free::operator()(std::byte* data) const {
  ::operator delete (data, std::align_val_t{Tensor::kAlignment});
}

bool BufferPool::fits(std::size_t more) const {
  const std::size_t held = total_ + charged_;
  return held <= limit_ && more <= limit_ - held;
}

bool BufferPool::charge(std::size_t bytes) {
  if (!fits(bytes)) return false;
  charged_ += bytes;
  return true;
}

bool BufferPool::grow(Buffer& buffer, std::size_t bytes) {
  // The old memory goes first: its content is nobody's any more.
  total_ -= buffer.capacity;
  buffer.capacity = 0;
  buffer.data.reset();
  if (!fits(bytes)) return false;
  auto* data = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{Tensor::kAlignment}, std::nothrow));
  if (data == nullptr) return false;
  ++allocations_;
  buffer.data.reset(data);
  buffer.capacity = bytes;
  total_ += bytes;
  return true;
}

BufferPool::Index BufferPool::find_free(std::size_t bytes) const {
  // Best fit; where nothing fits, the largest one grows, so that there are never more buffers than
  // values alive at a time.
  Index best = kNone;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const Buffer& candidate = buffers_[i];
    if (candidate.users > 0) continue;
    if (best == kNone) {
      best = static_cast<Index>(i);
      continue;
    }
    const std::size_t held = buffers_[static_cast<std::size_t>(best)].capacity;
    const bool better =
        held >= bytes ? candidate.capacity >= bytes && candidate.capacity < held : candidate.capacity > held;
    if (better) best = static_cast<Index>(i);
  }
  return best;
}

BufferPool::Index BufferPool::acquire(std::size_t bytes) {
  if (bytes == 0) bytes = 1;
  if (request_ == requests_.size()) requests_.emplace_back();
  Request& request = requests_[request_++];
  const bool as_before = request.buffer != kNone && request.bytes == bytes && users(request.buffer) == 0;
  Index index = as_before ? request.buffer : find_free(bytes);
  if (index == kNone) {
    index = static_cast<Index>(buffers_.size());
    buffers_.emplace_back();
  }
  Buffer& buffer = buffers_[static_cast<std::size_t>(index)];
  if (buffer.capacity < bytes && !grow(buffer, bytes)) return kNone;
  buffer.users = 1;
  request = {bytes, index};
  return index;
}

void BufferPool::release_all() {
  for (Buffer& buffer : buffers_) buffer.users = 0;
  charged_ = 0;
}

}  // namespace octavo::execute
