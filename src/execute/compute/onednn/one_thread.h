#pragma once

#include <omp.h>

namespace octavo::execute {

/// oneDNN splits its work by OpenMP and chooses algorithms by the number of threads. While one of these
/// lives, the calling thread's number is one; the host application's own setting comes back afterwards.
class OneThread {
 public:
  OneThread() : saved_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(saved_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int saved_;
};

}  // namespace octavo::execute
