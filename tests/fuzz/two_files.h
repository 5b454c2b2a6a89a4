#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "format.h"
#include "octavo/error.h"

namespace octavo::fuzz {

/// Reads a model of two files, the text of its structure up to the first 0 and its weights behind that. Ends the
/// process where anything but a sound graph or an Error of the file comes out.
inline int read_two_files(const formats::Format& format, const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  const auto end = static_cast<std::size_t>(std::find(bytes.begin(), bytes.end(), std::byte{0}) - bytes.begin());
  formats::Source source;
  source.bytes = bytes.first(end);
  source.weights = bytes.subspan(std::min(end + 1, size));
  try {
    Graph graph = format.read(source);
    graph.check();
    infer_shapes(graph);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal || error.code() == ErrorCode::invalid_argument) std::abort();
  }
  return 0;
}

}  // namespace octavo::fuzz
