#include "choices.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/names.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"
#include "octavo/error.h"
#include "yaml_tree.h"

namespace octavo::recipe {
namespace {

constexpr std::string_view kScope = "mmrazor.";

template <typename Entry>
std::string choice(std::string_view name, std::span<const Entry> table, const std::vector<Entry>& own,
                   std::string_view what) {
  if (name.starts_with(kScope)) name.remove_prefix(kScope.size());
  std::vector<std::string_view> known;
  for (const Entry& entry : table) known.push_back(entry.name);
  for (const Entry& entry : own) known.push_back(entry.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return std::string(name);
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{} '{}' is not known{}", what, shown(name), suggestion(name, known)));
}

}  // namespace

std::string observer_choice(std::string_view name, const Extensions& extensions) {
  return choice(name, observers(), extensions.observers, "observer");
}

std::string fake_quantizer_choice(std::string_view name, const Extensions& extensions) {
  return choice(name, fake_quantizers(), extensions.fake_quantizers, "fake-quantizer");
}

std::string weight_method_choice(std::string_view name, const Extensions& extensions) {
  return choice(name, weight_methods(), extensions.weight_methods, "weight method");
}

QOverride skip_choice(std::string_view text) {
  constexpr std::string_view kOpType = "op_type=";
  QOverride skipped;
  skipped.skip = true;
  skipped.where = "--skip";
  const bool by_type = text.starts_with(kOpType);
  (by_type ? skipped.op_type : skipped.node) = text.substr(by_type ? kOpType.size() : 0);
  if (skipped.op_type.empty() && skipped.node.empty()) {
    refuse(text, "a node's name, a glob such as 'fire9/*', or op_type=Softmax");
  }
  return skipped;
}

void refuse(std::string_view found, std::string_view expected) {
  throw Error(ErrorCode::invalid_argument, fmt::format("'{}' found, expected {}", shown(found), expected));
}

}  // namespace octavo::recipe
