#pragma once

#include "octavo/backends.h"

/// One function a backend, each in the file of its name.
namespace octavo::planning {

const BackendSpec& onnxruntime();

}  // namespace octavo::planning
