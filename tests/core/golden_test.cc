#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "golden/torch_cases.h"

namespace octavo {
namespace {

TEST_CASE("Observers, fake-quantizers and gradients give PyTorch's numbers") {
  std::ifstream file(std::string(OCTAVO_SOURCE_DIR) + "/tests/core/golden/observers.txt");
  golden::Checker checker([](const std::string& what) { FAIL_CHECK(what); });
  checker.read(file);
  CHECK(checker.cases() == 1224);
  // The search of HistogramObserver hangs on the last bits of sums: here they are PyTorch's.
  CHECK(checker.inexact_ranges() == 0);
}

}  // namespace
}  // namespace octavo
