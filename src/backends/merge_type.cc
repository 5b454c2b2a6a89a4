#include <fmt/format.h>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "tensor_choice.h"

namespace octavo {
namespace {

void set_granularity(TensorQConfig& config, bool per_channel) {
  config.granularity = per_channel ? Granularity::per_channel : Granularity::per_tensor;
  config.group_size = 0;
  if (!config.observer) return;
  std::string& type = config.observer->type;
  type = per_channel ? planning::per_channel_name(type) : planning::per_tensor_name(type);
}

}  // namespace

void apply_merge_type(QConfig& config, int merge_type) {
  if (merge_type < 0 || merge_type > 2) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("merge_type: {} found, expected 0 (a scale for each channel of weights and activations), 1 "
                            "(of weights alone) or 2 (one scale for each tensor)",
                            merge_type));
  }
  set_granularity(config.weight, merge_type != 2);
  set_granularity(config.activation, merge_type == 0);
}

}  // namespace octavo
