#pragma once

#include <string>

#include "octavo/error.h"

namespace octavo::test {

/// What the error says that `work` throws; "" where it throws none.
template <typename Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace octavo::test
