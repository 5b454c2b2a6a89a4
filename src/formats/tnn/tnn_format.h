#pragma once

#include "format.h"

namespace octavo::formats {

/// .tnnproto with .tnnmodel beside it: versions 1 and 2 of TNN's files, float and int8.
extern const Format kTnnFormat;
extern const Exporter kTnnExporter;    ///< version 2, which TNN's own tools write
extern const Exporter kTnnV1Exporter;  ///< version 1, for older runtimes

}  // namespace octavo::formats
