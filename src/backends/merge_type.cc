#include <fmt/format.h>

#include <string>
#include <string_view>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "tensor_choice.h"

namespace octavo {
namespace {

/// An observer by channels stands for the user's own word, unless a granularity beside it has decided that.
void require_agreeing_observer(const TensorQConfig& config, bool per_channel, int merge_type, std::string_view key) {
  if (!config.observer || config.granularity || per_channel) return;
  const std::string& type = config.observer->type;
  if (type == planning::per_tensor_name(type)) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("merge type {} has one scale for a tensor, beside {} {}, which looks at channels; "
                          "take {}, or another merge type",
                          merge_type, key, type, planning::per_tensor_name(type)));
}

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
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("there is no merge type {}; expected 0 (a scale for each channel of weights and activations), 1 "
                    "(of weights alone) or 2 (one scale for each tensor)",
                    merge_type));
  }
  require_agreeing_observer(config.weight, merge_type != 2, merge_type, "w_observer");
  require_agreeing_observer(config.activation, merge_type == 0, merge_type, "a_observer");
  set_granularity(config.weight, merge_type != 2);
  set_granularity(config.activation, merge_type == 0);
}

}  // namespace octavo
