#include "tnn/tnn_format.h"
#include "two_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return octavo::fuzz::read_two_files(octavo::formats::kTnnFormat, data, size);
}
