#ifndef OCTAVO_WITH_ONEDNN

#include "compute/conv.h"

#include <utility>

namespace octavo::execute {

std::unique_ptr<Convolution> make_convolution(ConvParameters parameters) {
  return make_im2col_convolution(std::move(parameters));
}

}  // namespace octavo::execute

#endif
