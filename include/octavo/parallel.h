#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace octavo {

/// Worker threads that live as long as the pool. The calling thread works too, so a pool of 1 starts
/// no thread. Used by one thread at a time; an exception of any piece is rethrown to the caller.
class ThreadPool {
 public:
  /// `threads` below 1 means all cores.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Runs body(index, worker) for every index in [0, count), worker in [0, threads()). Which worker takes
  /// which index is not fixed: a result must depend on the index alone.
  void for_each(std::size_t count, const std::function<void(std::size_t index, int worker)>& body);

  /// Runs produce(index, worker) on the workers and consume(index) on the calling thread, strictly in
  /// order of index. At most 2 * threads() items are produced and not yet consumed.
  void ordered(std::size_t count, const std::function<void(std::size_t index, int worker)>& produce,
               const std::function<void(std::size_t index)>& consume);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace octavo
