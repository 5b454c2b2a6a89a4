#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "octavo/error.h"
#include "octavo/parallel.h"

namespace octavo {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

int resolved_threads(int threads) {
  if (threads >= 1) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// What failed, by index. Indices are handed out in order, so all below a failed one are running or done:
/// the lowest failure is the same whatever the number of threads.
class FirstError {
 public:
  void record(std::size_t index, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (index >= index_) return;
    index_ = index;
    error_ = std::move(error);
  }
  void rethrow_if_any() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::size_t index_ = kNone;
  std::exception_ptr error_;
};

/// One run of `ordered`: which items are handed out, produced and consumed.
class OrderedRun {
 public:
  OrderedRun(std::size_t count, std::size_t window, const std::function<void(std::size_t, int)>& produce,
             const std::function<void(std::size_t)>& consume)
      : end_(count), slots_(window), produce_(produce), consume_(consume) {}

  /// Loop of a worker that only produces.
  void work(int worker) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return handed_out_ >= end_ || may_produce(); });
      if (handed_out_ >= end_) return;
      produce_one(lock, worker);
    }
  }

  /// Loop of the calling thread: consuming comes first, producing fills the gaps.
  void work_and_consume() {
    std::unique_lock lock(mutex_);
    while (consumed_ < end_ || failed_) {
      changed_.wait(lock, [&] { return may_consume() || may_produce(); });
      if (!may_consume()) {
        produce_one(lock, 0);
      } else if (!consume_one(lock)) {
        return;
      }
    }
  }

  void rethrow_if_any() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  struct Slot {
    bool ready = false;
    std::exception_ptr error;
  };

  bool may_produce() const { return handed_out_ < end_ && handed_out_ < consumed_ + slots_.size(); }
  bool may_consume() const { return slots_[consumed_ % slots_.size()].ready; }

  void produce_one(std::unique_lock<std::mutex>& lock, int worker) {
    const std::size_t index = handed_out_++;
    lock.unlock();
    std::exception_ptr error;
    try {
      produce_(index, worker);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    // Nothing beyond a failed item is begun; those before it are still consumed.
    if (error) stop_before(index);
    slots_[index % slots_.size()] = {true, error};
    changed_.notify_all();
  }

  /// False where an item failed: the run is over.
  bool consume_one(std::unique_lock<std::mutex>& lock) {
    const std::size_t index = consumed_;
    error_ = slots_[index % slots_.size()].error;
    if (!error_) {
      lock.unlock();
      try {
        consume_(index);
      } catch (...) {
        error_ = std::current_exception();
      }
      lock.lock();
    }
    if (error_) stop_before(0);
    slots_[index % slots_.size()] = {};
    ++consumed_;
    changed_.notify_all();
    return !error_;
  }

  void stop_before(std::size_t index) {
    failed_ = true;
    end_ = std::min(end_, index);
  }

  std::size_t end_;
  std::size_t handed_out_ = 0;
  std::size_t consumed_ = 0;
  bool failed_ = false;
  std::vector<Slot> slots_;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(std::size_t, int)>& produce_;
  const std::function<void(std::size_t)>& consume_;
};

}  // namespace

/// The workers and the job they are on. A job is one callable that every worker runs once.
struct ThreadPool::State {
  using Job = std::function<void(int worker)>;

  explicit State(int threads) : count(threads) {
    workers.reserve(static_cast<std::size_t>(threads - 1));
    try {
      for (int worker = 1; worker < threads; ++worker) workers.emplace_back([this, worker] { serve(worker); });
    } catch (const std::system_error& error) {  // those that began must end before `this` goes
      stop();
      throw Error(ErrorCode::resource_limit,
                  "cannot start " + std::to_string(threads) + " threads: " + error.what() + "; ask for fewer threads");
    }
  }
  ~State() { stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (std::thread& thread : workers) thread.join();
    workers.clear();
  }

  /// Runs `new_job`, which must not throw, on all workers and here; returns when all are through.
  void run(const Job& new_job) {
    {
      const std::lock_guard lock(mutex);
      if (job != nullptr) {
        throw Error(ErrorCode::internal, "a thread pool was used from inside its own work; use another pool there");
      }
      job = &new_job;
      ++generation;
      active = static_cast<int>(workers.size());
    }
    wake.notify_all();
    new_job(0);
    std::unique_lock lock(mutex);
    idle.wait(lock, [&] { return active == 0; });
    job = nullptr;
  }

  void serve(int worker) {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [&] { return stopping || generation != seen; });
      if (stopping) return;
      seen = generation;
      const Job& current = *job;
      lock.unlock();
      current(worker);
      lock.lock();
      if (--active == 0) idle.notify_one();
    }
  }

  int count;
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable idle;
  const Job* job = nullptr;
  std::uint64_t generation = 0;
  int active = 0;
  bool stopping = false;
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>(resolved_threads(threads))) {}
ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const { return state_->count; }

void ThreadPool::for_each(std::size_t count, const std::function<void(std::size_t, int)>& body) {
  if (count == 0) return;
  std::atomic<std::size_t> next{0};
  FirstError first_error;
  state_->run([&](int worker) {
    for (std::size_t index = next++; index < count; index = next++) {
      try {
        body(index, worker);
      } catch (...) {
        first_error.record(index, std::current_exception());
        next = count;  // no more pieces are begun
      }
    }
  });
  first_error.rethrow_if_any();
}

void ThreadPool::ordered(std::size_t count, const std::function<void(std::size_t, int)>& produce,
                         const std::function<void(std::size_t)>& consume) {
  if (count == 0) return;
  OrderedRun run(count, 2 * static_cast<std::size_t>(threads()), produce, consume);
  state_->run([&](int worker) { worker == 0 ? run.work_and_consume() : run.work(worker); });
  run.rethrow_if_any();
}

}  // namespace octavo
