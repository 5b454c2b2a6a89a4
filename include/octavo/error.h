#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace octavo {

/// What kind of thing went wrong. The numbers are part of the C ABI and of the command's exit codes.
enum class ErrorCode : std::int32_t {
  ok = 0,
  invalid_argument = 1,  ///< an option or argument is out of its range or contradicts another
  io = 2,                ///< a file could not be opened, read, written or renamed
  bad_model = 3,         ///< a model file is broken, truncated or contradicts itself
  unsupported = 4,       ///< sound, but beyond what Octavo or the chosen backend can do
  bad_data = 5,          ///< an image, tensor or label file could not be used
  resource_limit = 6,    ///< an input asks for more memory or work than allowed
  cancelled = 7,         ///< the caller asked to stop
  internal = 8,          ///< a mistake of Octavo's own
};

/// The only exception that leaves the library on purpose. The message names the file, node or value,
/// what was found, what was expected and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace octavo
