#pragma once

#include "octavo/core/kernels.h"

namespace octavo {

/// The kernels for the best instruction set that this machine has and this build knows. They give the same
/// bits as `plain_kernels` on every one of them.
const Kernels& fast_kernels();

}  // namespace octavo
