#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "octavo/formats.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// Any bytes give a sound graph or an octavo::Error. What was read can be written, and reading and writing that
// changes nothing any more.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  octavo::Graph graph;
  try {
    graph = octavo::load_model(std::as_bytes(std::span(data, size)), "onnx");
  } catch (const octavo::Error& error) {
    require(error.code() != octavo::ErrorCode::internal && error.code() != octavo::ErrorCode::invalid_argument);
    return 0;
  }
  graph.check();
  const std::vector<std::byte> written =
      octavo::model_bytes(octavo::load_model(octavo::model_bytes(graph, "onnx"), "onnx"), "onnx");
  require(octavo::model_bytes(octavo::load_model(written, "onnx"), "onnx") == written);
  return 0;
}
