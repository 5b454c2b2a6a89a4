#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layer.h"

namespace octavo::formats::ncnn {

/// Longest name of a layer or blob that the runtime reads.
inline constexpr std::size_t kLongestName = 255;

/// Reads a .param file: magic, counts, one layer a line. Throws Error(bad_model) naming the line.
std::vector<Layer> parse_param(std::string_view text);

/// Writes one; lists in the classic form (-23300 - id), which runtimes of all ages read.
std::string param_text(std::span<const Layer> layers);

}  // namespace octavo::formats::ncnn
