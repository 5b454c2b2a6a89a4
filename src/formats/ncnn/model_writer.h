#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "layer.h"
#include "octavo/formats.h"
#include "octavo/graph.h"

namespace octavo::formats::ncnn {

/// A graph as ncnn's layers, or what stands against it: then the layers are not to be used.
struct Written {
  std::vector<Layer> layers;
  std::vector<UnsupportedNode> unsupported;
};
Written layers_of(const Graph& graph);

/// The same where nothing stands against it; throws Error(unsupported) listing every node otherwise.
std::vector<Layer> require_layers(const Graph& graph);

}  // namespace octavo::formats::ncnn
