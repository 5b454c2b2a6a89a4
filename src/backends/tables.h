#pragma once

#include "octavo/backends.h"

/// One function a backend, each in the file of its name.
namespace octavo::planning {

const BackendSpec& onnxruntime();
const BackendSpec& openvino();
const BackendSpec& tensorrt();
const BackendSpec& ncnn();
const BackendSpec& tnn();
const BackendSpec& snpe();
const BackendSpec& academic();

}  // namespace octavo::planning
