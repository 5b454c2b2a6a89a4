#pragma once

#include <span>
#include <string_view>

#include "op.h"

namespace octavo::execute {

/// Domain of the steps that the executor makes itself when it fuses nodes (fuse.cc); no file has them.
inline constexpr std::string_view kInternalDomain = "octavo.execute";

struct OpEntry {
  std::string_view domain;
  std::string_view op_type;
  MakeKernel make;
};

/// Every operator the executor knows, in the order of op_list.inc.
std::span<const OpEntry> op_table();
/// Null where there is none. "ai.onnx" is the same domain as "".
const OpEntry* find_op(std::string_view domain, std::string_view op_type);

}  // namespace octavo::execute
