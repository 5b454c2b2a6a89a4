#include "op_table.h"

namespace octavo::execute {

// op_list.inc is read twice: for the declarations of the make functions, then for the rows.
#define OCTAVO_OP(domain, op_type, make) std::unique_ptr<Kernel> make(const NodeContext& context);
#include "op_list.inc"
#undef OCTAVO_OP

namespace {

constexpr OpEntry kOps[] = {
#define OCTAVO_OP(domain, op_type, make) {domain, op_type, &make},
#include "op_list.inc"
#undef OCTAVO_OP
};

}  // namespace

std::span<const OpEntry> op_table() { return kOps; }

const OpEntry* find_op(std::string_view domain, std::string_view op_type) {
  if (domain == "ai.onnx") domain = "";
  for (const OpEntry& entry : kOps) {
    if (entry.op_type == op_type && entry.domain == domain) return &entry;
  }
  return nullptr;
}

}  // namespace octavo::execute
