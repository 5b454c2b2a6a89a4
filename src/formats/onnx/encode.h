#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// Which constants go to the file beside the model, and where in it.
struct ExternalLayout {
  std::string location;  ///< the file's name
  std::map<ValueId, std::uint64_t> offsets;
};

/// All constants large enough to be worth it, each at a page of its own so that readers can map them.
ExternalLayout lay_out(const Graph& graph, std::string location);

/// A serialized model in pieces, in this order. The bytes of constants are those of the graph, which must outlive
/// it: a model is written without a second copy of its weights.
struct EncodedModel {
  struct Piece {
    std::string head;
    std::span<const std::byte> data;
  };
  std::vector<Piece> pieces;
  std::uint64_t size = 0;
};

/// `graph` is sorted. The same graph gives the same bytes.
EncodedModel encode_model(const Graph& graph, const ExternalLayout& external);

}  // namespace octavo::formats::onnx_file
