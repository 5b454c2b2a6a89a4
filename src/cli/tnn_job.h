#pragma once

#include <string>
#include <vector>

#include "octavo/data.h"
#include "octavo/graph.h"
#include "octavo/progress.h"

namespace octavo::cli {

/// What TNN's quantization_cmd is told, but for files.
struct TnnJob {
  int blob_method = 0;    ///< 0 MIN_MAX, 2 KL_DIVERGENCE, 4 ACIQ_GAUS, 5 ACIQ_LAPLACE
  int weight_method = 0;  ///< 0 MIN_MAX, 1 ADMM
  int merge_type = 0;     ///< 0 per channel, 1 mix, 2 per tensor
  std::vector<std::string> skipped_layers;
  int threads = 0;
  bool skip_bad_files = false;
  Progress progress;
};

struct TnnResult {
  Graph graph;  ///< with pairs and integers, for the exporter
  std::size_t samples = 0;
  std::size_t integer_layers = 0;
  std::vector<std::string> notes;
};

/// Quantizes a float model as quantization_cmd does, number for number: weights are rounded after multiplication by the
/// scale of their input, half away from zero, biases towards zero, and ReLU and max pooling hand their scale to what
/// they read (TNN, tools/quantization/calibration.cc). Throws Error(invalid_argument) for methods that are none, or
/// that TNN's kernels cannot run, and what the steps of a quantization throw.
TnnResult quantize_as_tnn(const Graph& model, const DataSource& data, const TnnJob& job);

}  // namespace octavo::cli
