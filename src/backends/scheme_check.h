#pragma once

#include <string_view>

#include "octavo/backends.h"
#include "tensor_choice.h"

namespace octavo::planning {

/// Throws Error(invalid_argument) where the keys contradict each other. `where`: as for choose.
void check_keys(const TensorQConfig& config, TensorKind kind, std::string_view where);

/// Throws Error(unsupported) where the backend does not take the scheme, saying what to change.
void check_scheme(const TensorChoice& choice, TensorKind kind, const BackendSpec& backend, std::string_view where);

}  // namespace octavo::planning
