#pragma once

#include <string>
#include <utility>
#include <vector>

#include "octavo/data.h"
#include "octavo/verify.h"

namespace octavo {

/// What a comparison was made of.
struct ReportSubject {
  std::string reference;  ///< model files as given
  std::string quantized;
  std::string backend;  ///< whose arithmetic was used
  WorkShare work;       ///< of the quantized graph
  /// Input name, or "" for every input, and what was asked for; `notes` say what was added to it.
  std::vector<std::pair<std::string, Preprocess>> preprocessing;
  std::vector<std::string> notes;
};

/// A comparison as JSON text (docs/report.md lists the keys); numbers that are not finite become null.
std::string to_json(const Comparison& comparison, const ReportSubject& subject);

}  // namespace octavo
