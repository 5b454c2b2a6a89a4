#pragma once

#include "octavo/execute.h"
#include "program.h"

namespace octavo {

struct Executor::State {
  execute::Program program;
};

}  // namespace octavo
