#pragma once

#include "format.h"

namespace octavo::formats {

/// ncnn: .param and .bin, float and int8.
extern const Format kNcnnFormat;
extern const Exporter kNcnnExporter;
/// The table of scales that ncnn2int8 makes an int8 model by.
extern const Exporter kNcnnTableExporter;

}  // namespace octavo::formats
