#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace octavo {

/// One step of a long job. `done` never falls within a stage; `total` is 0 where it is not known.
struct ProgressEvent {
  std::string_view stage;  ///< "calibrate", "verify" … valid during the call only
  std::int64_t done = 0;
  std::int64_t total = 0;
};

/// Called from the thread that started the job. Returning false cancels: the job stops soon, leaves no
/// partial file and throws Error(cancelled).
using Progress = std::function<bool(const ProgressEvent&)>;

}  // namespace octavo
