#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace octavo::execute {

/// Memory that the values of one session take turns in. A run asks for buffers in a fixed order, so a
/// second run of the same shapes gets the same ones again, in the same order, and allocates nothing.
class BufferPool {
 public:
  using Index = std::int32_t;
  static constexpr Index kNone = -1;

  /// `limit`: bytes that the pool and what is charged to it may hold at a time.
  explicit BufferPool(std::size_t limit) : limit_(limit) {}

  /// Starts the order of requests anew.
  void begin_run() { request_ = 0; }
  /// A buffer of at least `bytes`, with one user; kNone where the limit or the machine's memory does
  /// not allow it.
  Index acquire(std::size_t bytes);
  void add_user(Index index) { ++buffers_[static_cast<std::size_t>(index)].users; }
  void release(Index index) { --buffers_[static_cast<std::size_t>(index)].users; }
  int users(Index index) const { return buffers_[static_cast<std::size_t>(index)].users; }
  std::byte* data(Index index) const { return buffers_[static_cast<std::size_t>(index)].data.get(); }
  /// Takes every buffer back, whoever uses it: after a run that threw.
  void release_all();

  /// Counts memory held elsewhere (outputs) against the limit; false where that would exceed it.
  bool charge(std::size_t bytes);
  void discharge(std::size_t bytes) { charged_ -= bytes; }

  /// Bytes of all buffers, and how many times memory was asked from the system so far.
  std::size_t total_bytes() const { return total_; }
  std::size_t allocations() const { return allocations_; }

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };
  struct Buffer {
    std::unique_ptr<std::byte[], Free> data;
    std::size_t capacity = 0;
    int users = 0;
  };
  struct Request {
    std::size_t bytes = 0;
    Index buffer = kNone;
  };
  Index find_free(std::size_t bytes) const;
  bool grow(Buffer& buffer, std::size_t bytes);
  bool fits(std::size_t more) const;

  std::vector<Buffer> buffers_;
  std::vector<Request> requests_;  // of the run before; those of this run replace them one by one
  std::size_t request_ = 0;
  std::size_t limit_;
  std::size_t total_ = 0;
  std::size_t charged_ = 0;
  std::size_t allocations_ = 0;
};

}  // namespace octavo::execute
