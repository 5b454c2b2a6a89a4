#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "octavo/progress.h"
#include "octavo/verify.h"

namespace octavo::cli {

/// Shows progress on standard error: a bar with rate and time left on a terminal, elsewhere a line when a
/// stage begins and ends and every few seconds between,
/// nothing where `quiet`. Its callback asks to stop after Ctrl-C.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(bool quiet);
  /// Takes away a bar that an error or Ctrl-C has left unfinished.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;
  Progress callback();

 private:
  void show(const ProgressEvent& event);
  void show_bar(const ProgressEvent& event, double seconds);

  bool quiet_;
  bool terminal_;
  bool bar_shown_ = false;
  std::string stage_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point shown_;
};

/// "1,234,567 bytes"
std::string bytes_text(std::uint64_t bytes);
/// Largest resident memory of the process so far, in bytes.
std::uint64_t peak_memory();
/// "27.9 dB", or "exact".
std::string sqnr_text(double sqnr_db);

/// Lines for people: outputs, accuracy where there are labels.
std::string summary_text(const Comparison& comparison);
/// How much of a quantized graph's work is integers: a line for people.
std::string work_text(const WorkShare& work);
/// A table of the layers given.
std::string layer_table(const std::vector<LayerComparison>& layers);
/// The layers with the lowest SQNR first.
std::vector<LayerComparison> worst_layers(const Comparison& comparison, std::size_t count);

}  // namespace octavo::cli
