#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "octavo/data.h"
#include "octavo/graph.h"
#include "octavo/progress.h"

namespace octavo {

/// Distance of a quantized tensor q from its float original f, over all samples.
struct Distance {
  double sqnr_db = 0.0;    ///< 10·log10(Σf² / Σ(f-q)²); +infinity where equal
  double cosine = 0.0;     ///< Σfq / √(Σf²·Σq²); 1 where both are zero
  double max_error = 0.0;  ///< max |f - q|
};

struct OutputComparison {
  std::string name;
  /// Samples for which both graphs gave it in one shape, as numbers; the rest of this says nothing where it is 0.
  std::size_t compared = 0;
  Distance distance;
  /// Share of samples whose largest score is at the same index, in [0, 1]; for outputs with one row of
  /// scores a sample only.
  std::optional<double> top1_agreement;
};

/// One value that both graphs compute under the same name, in the order of the float graph.
struct LayerComparison {
  std::string value;
  std::string node;
  std::string op_type;
  Distance distance;
};

/// Shares of labelled samples in [0, 1].
struct Accuracy {
  double top1 = 0.0;
  double top5 = 0.0;
};

struct Comparison {
  std::size_t samples = 0;
  std::vector<OutputComparison> outputs;
  std::vector<LayerComparison> layers;
  std::size_t labelled = 0;
  std::optional<Accuracy> float_accuracy;
  std::optional<Accuracy> quantized_accuracy;
  std::vector<std::string> bad_files;
};

struct VerifyOptions {
  int threads = 0;
  /// 0: all; otherwise this many, spread evenly over the source.
  std::size_t max_samples = 0;
  bool layers = true;
  bool skip_bad_files = false;
  /// Class of each sample, in the order of the source, -1 where it has none; empty: no labels.
  std::vector<std::int64_t> labels;
  Progress progress;
};

/// Runs both graphs on the same samples: the same to the bit for any number of threads. Throws
/// Error(invalid_argument) where their inputs or outputs differ.
Comparison compare(const Graph& reference, const Graph& quantized, const DataSource& data,
                   const VerifyOptions& options);

/// Labels for the samples of `data` by file; throws Error(bad_data) where none of them has one.
std::vector<std::int64_t> labels_for(const DataSource& data, const std::vector<LabelledSample>& labels);

}  // namespace octavo
