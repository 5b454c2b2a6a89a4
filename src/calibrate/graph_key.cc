#include <fmt/format.h>

#include <filesystem>

#include "octavo/calibrate.h"
#include "octavo/core/hash.h"
#include "octavo/core/names.h"

namespace octavo {

namespace {

/// Longer ones enter by their bytes; those inside attributes are shorter in all models seen.
constexpr std::size_t kShortConstant = 64;

}  // namespace

std::uint64_t graph_key(const Graph& graph) {
  core::Hash hash;
  hash.text(to_text(graph, kShortConstant));
  for (const ValueId id : graph.values()) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr) continue;
    hash.text(graph.value(id).name);
    hash.bytes({static_cast<const std::byte*>(constant->bytes()), constant->byte_size()});
  }
  return hash.value();
}

std::string describe_samples(const DataSource& data) {
  const auto name = [&](std::size_t i) { return std::filesystem::path(data.name(i)).filename().string(); };
  if (data.size() == 0) return "no samples";
  return fmt::format("{}, '{}' to '{}'", count_of(data.size(), "sample"), name(0), name(data.size() - 1));
}

}  // namespace octavo
