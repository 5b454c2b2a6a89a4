#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "octavo/data.h"
#include "octavo/graph.h"
#include "octavo/plan.h"
#include "octavo/progress.h"

namespace octavo {

struct CalibrateOptions {
  int threads = 0;  ///< below 1: all cores
  /// Leaves out samples that cannot be loaded and lists them, instead of throwing.
  bool skip_bad_files = false;
  Progress progress;
};

/// What calibration learned about a prepared graph.
struct Calibration {
  QParamsByName activations;
  std::size_t samples = 0;
  std::vector<std::string> bad_files;  ///< "path: reason"
};

/// Runs the prepared `graph` in float on every sample and computes the parameters of each planned
/// activation; values of one group get the same ones. Memory does not grow with the number of samples. The
/// result is the same to the bit for any number of threads. Throws Error(bad_data) listing every sample that
/// cannot be loaded, unless skip_bad_files; also where none is left.
Calibration calibrate(const Graph& graph, const Plan& plan, const DataSource& data, const CalibrateOptions& options);

}  // namespace octavo
