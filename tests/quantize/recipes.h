// Recipes as text, for tests.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "octavo/error.h"
#include "octavo/quantize.h"

namespace octavo::test {

inline Recipe parsed(const std::string& text) { return parse_recipe(text, "r.yaml"); }

/// What parsing `text` says against it.
inline std::string complaint(const std::string& text) {
  try {
    parse_recipe(text, "r.yaml");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    return error.what();
  }
  return "no complaint";
}

/// MMRazor's global_qconfig for OpenVINO and TensorRT (ptq_openvino_…, ptq_tensorrt_…), which differ in a_qscheme
/// alone.
inline std::string mmrazor(const std::string& backend, const std::string& a_qdtype) {
  return "backend: " + backend + R"(
batch_size: 32
calibrate_steps: 32
global_qconfig:
  w_observer: {type: mmrazor.PerChannelMinMaxObserver}
  a_observer: {type: mmrazor.MovingAverageMinMaxObserver}
  w_fake_quant: {type: mmrazor.FakeQuantize}
  a_fake_quant: {type: mmrazor.FakeQuantize}
  w_qscheme: {qdtype: qint8, bit: 8, is_symmetry: True, is_symmetric_range: True}
  a_qscheme: {qdtype: )" +
         a_qdtype + ", bit: 8, is_symmetry: True, averaging_constant: 0.1}\n";
}

}  // namespace octavo::test
