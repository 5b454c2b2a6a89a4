#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "octavo/core/arithmetic.h"
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

/// How well the classes of pixels are found, in [0, 1]: from counts over all pictures together.
struct MaskAccuracy {
  double mean_iou = 0.0;  ///< mean over the classes that a mask or the graph has of intersection / union
  double pixels = 0.0;    ///< share of pixels with the right class
};

struct Comparison {
  std::size_t samples = 0;
  std::vector<OutputComparison> outputs;
  std::vector<LayerComparison> layers;
  std::size_t labelled = 0;
  std::optional<Accuracy> float_accuracy;
  std::optional<Accuracy> quantized_accuracy;
  std::size_t masked = 0;  ///< samples with a mask
  std::optional<MaskAccuracy> float_masks;
  std::optional<MaskAccuracy> quantized_masks;
  std::vector<std::string> bad_files;
};

/// Masks, pictures or .npy files with the class of each pixel, of the first output: scores [1, C, H, W] or classes
/// [1, H, W].
struct MaskOptions {
  std::vector<std::filesystem::path> files;  ///< in the order of the source, empty where a sample has none
  std::int64_t classes = 0;                  ///< of the scores the first so many count; 0: all
  std::int64_t ignored = 255;                ///< pixels of this label count for nothing, as labels beyond the classes
};

struct VerifyOptions {
  int threads = 0;
  /// 0: all; otherwise this many, spread evenly over the source.
  std::size_t max_samples = 0;
  bool layers = true;
  bool skip_bad_files = false;
  /// Class of each sample, in the order of the source, -1 where it has none; empty: no labels.
  std::vector<std::int64_t> labels;
  MaskOptions masks;
  /// With which the quantized graph is computed: that of the backend it was made for.
  Arithmetic arithmetic = {};
  Progress progress;
};

/// Runs both graphs on the same samples: the same to the bit for any number of threads. Throws
/// Error(invalid_argument) where their inputs or outputs differ.
Comparison compare(const Graph& reference, const Graph& quantized, const DataSource& data,
                   const VerifyOptions& options);

/// Labels for the samples of `data` by file; throws Error(bad_data) where none of them has one, or some are masks.
std::vector<std::int64_t> labels_for(const DataSource& data, const std::vector<LabelledSample>& labels);
/// The same for masks; throws Error(bad_data) where some are classes.
std::vector<std::filesystem::path> masks_for(const DataSource& data, const std::vector<LabelledSample>& labels);

/// What of a graph's work Q/DQ turns into integers, by the graph alone: a runtime may do less.
struct WorkShare {
  /// Multiplications of Conv, ConvTranspose, Gemm and MatMul, and their integer forms, and of LSTM, GRU and RNN, for
  /// one sample.
  double integer_multiplies = 0.0;
  double float_multiplies = 0.0;
  /// Those operators whose shapes are not known, which count for nothing.
  std::size_t unknown = 0;
  /// Places where a tensor goes from float to integers at run time, or from integers to float.
  std::size_t boundaries = 0;

  /// In [0, 1]; nothing where there are no multiplications.
  std::optional<double> integer_share() const {
    const double all = integer_multiplies + float_multiplies;
    return all > 0.0 ? std::optional(integer_multiplies / all) : std::nullopt;
  }
};
/// An operator counts as integer where DequantizeLinear feeds its data and its weights; any other operator where it
/// stands between DequantizeLinear and QuantizeLinear. Open batch sizes are taken as 1.
WorkShare work_share(const Graph& graph);

}  // namespace octavo
