// Configurations for the planner's tests.
#pragma once

#include <string>

#include "named_plan.h"
#include "octavo/backends.h"

namespace octavo::test {

inline const std::string kChain = kIn + R"(const u: f32[4,4,3,3] = random(4)
    c1 = Conv "block1/conv" (x, w) r1 = Relu "block1/relu" (c1) c2 = Conv "block2/conv" (r1, u)
    p = MaxPool "pool" (c2) {kernel_shape=[2,2]} c3 = Conv "head" (p, v) output c3)";

inline QScheme symmetric_int8() {
  return {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true};
}

inline TensorQConfig with_observer(const std::string& type) {
  TensorQConfig config;
  config.observer = ObserverChoice{type, {}};
  return config;
}

inline TensorQConfig with_scheme(const QScheme& scheme) {
  TensorQConfig config;
  config.scheme = scheme;
  return config;
}

/// What check_config says against it.
inline std::string refusal(const QConfig& config, const std::string& backend) {
  try {
    check_config(config, backend_named(backend));
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace octavo::test
