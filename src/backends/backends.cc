#include "octavo/backends.h"

#include <fmt/format.h>

#include <array>

#include "octavo/error.h"
#include "tables.h"

namespace octavo {

std::span<const BackendSpec* const> backends() {
  static const std::array table{
      &planning::onnxruntime(), &planning::openvino(), &planning::tensorrt(), &planning::ncnn(),
      &planning::tnn(),         &planning::snpe(),     &planning::academic(),
  };
  return table;
}

const BackendSpec& backend_named(std::string_view name) {
  std::string known;
  for (const BackendSpec* backend : backends()) {
    if (!name.empty() && (backend->name == name || backend->alias == name)) return *backend;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", backend->name);
  }
  throw Error(ErrorCode::invalid_argument, fmt::format("backend '{}' is not known; choose one of: {}", name, known));
}

const OpRule* BackendSpec::rule_for(std::string_view op_type) const {
  for (const OpRule& rule : rules) {
    if (rule.op_type == op_type) return &rule;
  }
  return nullptr;
}

}  // namespace octavo
