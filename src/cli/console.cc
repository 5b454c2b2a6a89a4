#include "console.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>

#include "octavo/core/names.h"

namespace octavo::cli {
namespace {

std::string accuracy_line(std::string_view name, double original, double quantized) {
  return fmt::format("{:<6} float {:.2f} %, quantized {:.2f} % ({:+.2f})\n", name, 100 * original, 100 * quantized,
                     100 * (quantized - original));
}

/// Further apart are mostly models that are not fed what they were trained and calibrated on.
constexpr double kSuspiciousSqnr = 10.0;

bool is_suspicious(const OutputComparison& output) {
  return output.compared > 0 && output.distance.sqnr_db < kSuspiciousSqnr;
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  std::string text = fmt::format("{}", bytes);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), ",");
  }
  return text + " bytes";
}

std::uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<std::uint64_t>(usage.ru_maxrss);
#else
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
#endif
}

std::string sqnr_text(double sqnr_db) {
  if (std::isnan(sqnr_db)) return "no number";
  return std::isinf(sqnr_db) && sqnr_db > 0.0 ? "exact" : fmt::format("{:.1f} dB", sqnr_db);
}

std::string summary_text(const Comparison& comparison) {
  std::string text = fmt::format("Compared on {}, float against quantized:\n", count_of(comparison.samples, "sample"));
  for (const OutputComparison& output : comparison.outputs) {
    if (output.compared == 0) {
      text += fmt::format("output '{}': not compared, its shape differs between the models\n", output.name);
      continue;
    }
    if (std::isnan(output.distance.sqnr_db)) {
      text += fmt::format("output '{}': holds NaN or infinities, nothing can be said of it\n", output.name);
      continue;
    }
    text += fmt::format("output '{}': SQNR {}, cosine {:.6f}", output.name, sqnr_text(output.distance.sqnr_db),
                        output.distance.cosine);
    if (output.top1_agreement) text += fmt::format(", top-1 agreement {:.2f} %", 100 * *output.top1_agreement);
    text += '\n';
  }
  if (comparison.float_accuracy && comparison.quantized_accuracy) {
    text += fmt::format("Accuracy on {}:\n", count_of(comparison.labelled, "labelled sample"));
    text += accuracy_line("top-1", comparison.float_accuracy->top1, comparison.quantized_accuracy->top1);
    text += accuracy_line("top-5", comparison.float_accuracy->top5, comparison.quantized_accuracy->top5);
  }
  if (comparison.float_masks && comparison.quantized_masks) {
    text += fmt::format("Accuracy on {}:\n", count_of(comparison.masked, "mask"));
    text += accuracy_line("mIoU", comparison.float_masks->mean_iou, comparison.quantized_masks->mean_iou);
    text += accuracy_line("pixels", comparison.float_masks->pixels, comparison.quantized_masks->pixels);
  }
  if (std::any_of(comparison.outputs.begin(), comparison.outputs.end(), is_suspicious)) {
    text += fmt::format(
        "Below {} dB: is the preprocessing (size, order of colours, mean, scale) the one of the model and of "
        "its calibration? If it is, the worst layers say where it is lost.\n",
        kSuspiciousSqnr);
  }
  return text;
}

std::string work_text(const WorkShare& work) {
  std::string text = "Work: ";
  if (const auto share = work.integer_share()) {
    text += fmt::format("{:.1f} % of {:.1f} million multiplications in integers, ", 100 * *share,
                        (work.integer_multiplies + work.float_multiplies) * 1e-6);
  }
  text += fmt::format("{} between float and integers", count_of(work.boundaries, "change"));
  if (work.unknown > 0) text += fmt::format("; {} of unknown shape not counted", count_of(work.unknown, "operator"));
  return text + '\n';
}

std::string layer_table(const std::vector<LayerComparison>& layers) {
  std::size_t width = 5;
  for (const LayerComparison& layer : layers) width = std::max(width, layer.value.size());
  std::string text = fmt::format("  {:<{}}  {:<20} {:>9}  {:>8}\n", "value", width, "operator", "SQNR", "cosine");
  for (const LayerComparison& layer : layers) {
    text += fmt::format("  {:<{}}  {:<20} {:>9}  {:.6f}\n", layer.value, width, layer.op_type,
                        sqnr_text(layer.distance.sqnr_db), layer.distance.cosine);
  }
  return text;
}

std::vector<LayerComparison> worst_layers(const Comparison& comparison, std::size_t count) {
  std::vector<LayerComparison> layers = comparison.layers;
  std::stable_sort(layers.begin(), layers.end(), [](const LayerComparison& a, const LayerComparison& b) {
    return a.distance.sqnr_db < b.distance.sqnr_db;
  });
  layers.resize(std::min(layers.size(), count));
  return layers;
}

}  // namespace octavo::cli
