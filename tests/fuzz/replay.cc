#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr long kMostMemory = 300L << 10;  // KiB; far more than small files may take

// From memory of exactly this size, so that a read past the end is one a sanitizer sees.
void run(const Bytes& bytes) {
  const Bytes exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::size_t replay(const Bytes& original) {
  constexpr std::array<std::uint8_t, 5> kPatterns = {0x01, 0x02, 0x08, 0x80, 0xff};
  for (std::size_t length = 0; length <= original.size(); ++length) {
    run({original.begin(), original.begin() + static_cast<std::ptrdiff_t>(length)});
  }
  Bytes changed = original;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    for (const std::uint8_t pattern : kPatterns) {
      changed[i] = original[i] ^ pattern;
      run(changed);
    }
    changed[i] = original[i];
  }
  return original.size() * (1 + kPatterns.size()) + 1;
}

bool memory_was_bounded() {
#ifdef OCTAVO_REPLAY_SANITIZED
  return true;  // the sanitizer's own memory is counted as well
#else
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory: %ld KiB\n", usage.ru_maxrss);
  return usage.ru_maxrss < kMostMemory;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    if (entry.path().extension() != ".py") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::size_t inputs = 0;
  for (const auto& path : paths) {
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    std::ifstream file(path, std::ios::binary);
    inputs += replay({std::istreambuf_iterator<char>(file), {}});
  }
  std::printf("%zu inputs\n", inputs);
  return inputs > 0 && memory_was_bounded() ? 0 : 1;
}
