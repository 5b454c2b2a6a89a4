#include <fmt/format.h>

#include <algorithm>

#include "octavo/calibrate.h"

namespace octavo {
namespace {

/// The value below which a share of all values lies, to half a bin; 0 where there are none.
double quantile(const Histogram& histogram, double share) {
  const double wanted = share * static_cast<double>(histogram.count());
  const auto bins = static_cast<std::size_t>(histogram.bins());
  double passed = 0.0;
  for (std::size_t i = bins; i-- > 0;) {
    passed += static_cast<double>(histogram.negative(i));
    if (passed > wanted) return -(static_cast<double>(i) + 0.5) * histogram.width();
  }
  passed += static_cast<double>(histogram.zeros());
  if (passed > wanted) return 0.0;
  for (std::size_t i = 0; i < bins; ++i) {
    passed += static_cast<double>(histogram.positive(i));
    if (passed > wanted) return (static_cast<double>(i) + 0.5) * histogram.width();
  }
  return histogram.range().empty() ? 0.0 : double{histogram.range().max};
}

std::string line(const std::string& name, const TensorStatistics& statistics) {
  const Histogram& histogram = statistics.histogram();
  const Range range = histogram.range().empty() ? Range{0.0F, 0.0F} : histogram.range();
  const auto inside = [&](double share) {
    return std::clamp(quantile(histogram, share), double{range.min}, double{range.max});
  };
  return fmt::format("{}\t{}\t{}\t{}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\t{:.6g}\t{}\n", name, histogram.count(), range.min,
                     range.max, inside(0.0001), inside(0.01), inside(0.5), inside(0.99), inside(0.9999),
                     histogram.zeros());
}

}  // namespace

std::string calibration_text(const Calibration& calibration) {
  const CalibrationKeys& keys = calibration.keys;
  std::string text = fmt::format(
      "# model '{}', key {:016x}; graph key {:016x}\n# {}, key {:016x}\n# share {} of {}, {} of {} samples done, {} "
      "used, {} "
      "left out\n# {} equalized channels, {} sums of operators' inputs\n",
      keys.model_name, keys.model, keys.graph, keys.data_name, keys.data, calibration.share.index,
      calibration.share.count, calibration.done, calibration.positions, calibration.samples,
      calibration.bad_files.size(), calibration.equalized ? "with" : "without",
      calibration.with_inputs ? "with" : "without");
  for (const std::string& file : calibration.bad_files) text += fmt::format("# left out: {}\n", file);
  text += "value\tcount\tmin\tmax\t0.01%\t1%\t50%\t99%\t99.99%\tzeros\n";
  for (const auto& [name, value] : calibration.values) {
    for (std::size_t i = 0; i < value.tensors.size(); ++i) {
      text += line(value.axis == QScheme::kPerTensor ? name : fmt::format("{}[{}]", name, i), value.tensors[i]);
    }
    if (!value.observer.empty()) {
      text += fmt::format("# {}: {} keeps {} bytes of its own, of {}\n", name, value.observer, value.state.size(),
                          fmt::join(value.shown, ", "));
    }
  }
  return text;
}

}  // namespace octavo
