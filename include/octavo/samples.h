#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "octavo/data.h"
#include "octavo/parallel.h"
#include "octavo/progress.h"

namespace octavo {

struct SampleOptions {
  int threads = 0;  ///< below 1: all cores
  bool skip_bad_files = false;
  std::string stage;  ///< for progress events
  Progress progress;
  /// Called for each sample that is left out, on the calling thread and in order with `consume`.
  std::function<void(std::size_t position, const std::string& reason)> skipped = {};
  /// No sample being left is no error: these are a part of a larger number.
  bool may_skip_all = false;
};

/// Runs work over samples: on several at once where there are as many as threads, else on one after the other
/// with the threads left to `inner_pool`. Results are handed over in order of the samples, so that what is
/// made of them does not depend on threads.
class SampleRunner {
 public:
  /// `indices` of `data`, ascending, which must outlive the runner.
  SampleRunner(const DataSource& data, std::vector<std::size_t> indices, SampleOptions options);

  /// Workers that `produce` may be called from at once.
  int workers() const { return outer_.threads(); }
  /// Results that may wait at once, and where the one of a position waits.
  std::size_t slots() const { return 2 * static_cast<std::size_t>(outer_.threads()); }
  std::size_t slot(std::size_t position) const { return position % slots(); }
  /// Threads for splitting single operators; null where they are busy with whole samples.
  ThreadPool* inner_pool() { return inner_.threads() > 1 ? &inner_ : nullptr; }

  /// produce(inputs, worker, position) on any worker, then consume(position) on the calling thread, in order;
  /// positions count within `indices`. Samples that cannot be loaded are left out of both and returned as "name:
  /// reason" where skip_bad_files is set; otherwise they are all listed in Error(bad_data), as they are where no sample
  /// is left. Throws Error(cancelled) where progress says so.
  std::vector<std::string> run(
      const std::function<void(std::span<const Tensor> inputs, int worker, std::size_t position)>& produce,
      const std::function<void(std::size_t position)>& consume);

 private:
  void list_others(std::vector<std::string>& bad) const;

  const DataSource& data_;
  std::vector<std::size_t> indices_;
  SampleOptions options_;
  ThreadPool outer_;
  ThreadPool inner_;
};

/// All indices of `data`, or `most` of them spread evenly; 0 means all.
std::vector<std::size_t> spread_indices(std::size_t size, std::size_t most);

}  // namespace octavo
