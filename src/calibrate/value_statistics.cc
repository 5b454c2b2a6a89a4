#include "value_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "octavo/core/channels.h"
#include "octavo/error.h"
#include "octavo/kernels.h"

namespace octavo::calibration {
namespace {

/// Statistics of each index of `axis`, or of all elements.
std::vector<TensorStatistics> statistics_of(const TensorView& x, int axis) {
  const bool by_channel = axis != QScheme::kPerTensor && axis < static_cast<int>(x.rank());
  const ChannelLayout layout = channel_layout(x.shape(), by_channel ? axis : QScheme::kPerTensor);
  const auto values = x.data<float>();
  std::vector<TensorStatistics> statistics(layout.channels, TensorStatistics(bins_for(axis)));
  if (layout.outer == 1) {
    const std::size_t size = values.size() / std::max<std::size_t>(1, layout.channels);
    for (std::size_t c = 0; c < layout.channels; ++c) {
      statistics[c].add(values.subspan(c * size, size), fast_kernels());
    }
    return statistics;
  }
  std::vector<float> channel(layout.outer * layout.inner);
  for (std::size_t c = 0; c < layout.channels; ++c) {
    for (std::size_t o = 0; o < layout.outer; ++o) {
      const auto run = values.subspan(layout.offset(o, c), layout.inner);
      std::copy(run.begin(), run.end(), channel.begin() + static_cast<std::ptrdiff_t>(o * layout.inner));
    }
    statistics[c].add(channel, fast_kernels());
  }
  return statistics;
}

}  // namespace

std::unique_ptr<ObserverBase> make_observer(const ActivationPlan& activation, std::size_t shown) {
  ObserverOptions options = activation.observer_options;
  options.batch_size *= std::max<std::size_t>(shown, 1);
  options.kernels = &fast_kernels();
  return activation.observer.make(options);
}

bool follows_from_statistics(const ActivationPlan& activation) {
  TensorStatistics some(bins_for(activation.scheme.axis));
  some.add(std::array{-1.0F, 0.5F, 1.0F}, fast_kernels());
  return make_observer(activation)->restore(std::span(&some, 1));
}

std::map<int, std::vector<ValueId>> shown_values(const Graph& graph, const Plan& plan) {
  std::map<ValueId, const ActivationPlan*> planned;
  std::map<int, std::vector<ValueId>> shown;
  for (const ActivationPlan& activation : plan.activations) {
    planned[activation.value] = &activation;
    shown[activation.group];
  }
  const auto add = [&](ValueId id) {
    const auto found = planned.find(id);
    if (found != planned.end() && found->second->adds_values) shown[found->second->group].push_back(id);
  };
  for (const ValueId id : graph.inputs()) add(id);
  for (const NodeId id : graph.nodes()) {
    for (const ValueId output : graph.node(id).outputs) add(output);
  }
  return shown;
}

ValueCollector::ValueCollector(const ActivationPlan& activation, bool for_any_observer, GroupObserver group,
                               bool keeps_state)
    : observer_name_(activation.observer.name),
      group_(std::move(group)),
      keeps_state_(keeps_state && group_.observer != nullptr),
      is_shown_(group_.observer != nullptr && activation.adds_values),
      keeps_statistics_(group_.observer == nullptr || for_any_observer) {
  gathered_.axis = activation.scheme.axis;
}

ValueLook ValueCollector::look(const TensorView& x) const {
  ValueLook look;
  if (keeps_statistics_) look.tensors = statistics_of(x, gathered_.axis);
  if (is_shown_) look.summary = group_.observer->summarize(x);
  return look;
}

void ValueCollector::fold(ValueLook look) {
  if (look.summary != nullptr) group_.observer->fold(*look.summary);
  if (gathered_.tensors.empty()) {
    gathered_.tensors = std::move(look.tensors);
    return;
  }
  if (look.tensors.size() != gathered_.tensors.size()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("an activation that is to have a scale for each channel has {} channels on one sample and {} "
                    "on another: quantize it per tensor",
                    gathered_.tensors.size(), look.tensors.size()));
  }
  for (std::size_t i = 0; i < look.tensors.size(); ++i) gathered_.tensors[i].merge(look.tensors[i]);
}

bool ValueCollector::resume(ValueStatistics begun) {
  if (begun.axis != gathered_.axis || begun.observer != state_of()) return false;
  if (keeps_state_ && (begun.shown != group_.shown || !group_.observer->load(begun.state))) return false;
  gathered_ = std::move(begun);
  return true;
}

ValueStatistics ValueCollector::statistics() const {
  ValueStatistics statistics = gathered_;
  if (!keeps_state_) return statistics;
  statistics.observer = observer_name_;
  statistics.shown = group_.shown;
  statistics.state.clear();
  group_.observer->save(statistics.state);
  return statistics;
}

}  // namespace octavo::calibration
