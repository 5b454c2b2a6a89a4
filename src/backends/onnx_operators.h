#pragma once

#include <span>
#include <string_view>

namespace octavo::planning {

/// Types of ONNX's default domain, of any version: what a recipe may name that is for more than one model.
std::span<const std::string_view> onnx_operators();

}  // namespace octavo::planning
