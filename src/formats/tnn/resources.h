#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tnn/content.h"

namespace octavo::formats::tnn {

/// Reads .tnnmodel, of either version and with either layout of int8 layers: older files have no zero points, which
/// are 0 then. Throws Error(bad_model) naming the resource, Error(unsupported) for one of a layer whose payload
/// is not known, behind which nothing can be found.
std::vector<Resource> read_resources(std::span<const std::byte> bytes);

/// Writes it as TNN's packer does.
std::vector<std::byte> resource_bytes(std::span<const Resource> resources, Version version);

}  // namespace octavo::formats::tnn
