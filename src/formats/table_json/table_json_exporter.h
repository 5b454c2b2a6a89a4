#pragma once

#include "octavo/formats.h"

namespace octavo::formats {

/// See quantization_table.
extern const Exporter kTableJsonExporter;

}  // namespace octavo::formats
