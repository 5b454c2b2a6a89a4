#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "octavo/calibrate.h"
#include "octavo/error.h"

namespace octavo {
namespace {

[[noreturn]] void refuse(const std::string& text) { throw Error(ErrorCode::invalid_argument, text); }

struct Named {
  Calibration* calibration;
  const std::string* name;
};

/// That both were made for one and the same.
void require_alike(const Named& a, const Named& b) {
  const CalibrationKeys& ours = a.calibration->keys;
  const CalibrationKeys& theirs = b.calibration->keys;
  const auto differ = [&](std::string_view what, std::string_view x, std::uint64_t key, std::string_view y,
                          std::uint64_t other) {
    refuse(
        fmt::format("{} and {} cannot be joined: they were measured on different {}, {} (key {:016x}) and {} (key "
                    "{:016x})",
                    *a.name, *b.name, what, x, key, y, other));
  };
  if (ours.model != theirs.model) {
    differ("models", fmt::format("'{}'", ours.model_name), ours.model, fmt::format("'{}'", theirs.model_name),
           theirs.model);
  }
  if (ours.data != theirs.data || a.calibration->all_samples != b.calibration->all_samples) {
    differ("samples", ours.data_name, ours.data, theirs.data_name, theirs.data);
  }
  if (a.calibration->share.count != b.calibration->share.count) {
    refuse(fmt::format("{} and {} cannot be joined: one is a share of {}, the other of {}", *a.name, *b.name,
                       a.calibration->share.count, b.calibration->share.count));
  }
  const auto same_values = [&] {
    return std::equal(a.calibration->values.begin(), a.calibration->values.end(), b.calibration->values.begin(),
                      b.calibration->values.end(), [](const auto& x, const auto& y) {
                        return x.first == y.first && x.second.axis == y.second.axis &&
                               x.second.observer == y.second.observer && x.second.shown == y.second.shown;
                      });
  };
  if (ours.graph != theirs.graph || a.calibration->equalized != b.calibration->equalized ||
      a.calibration->with_inputs != b.calibration->with_inputs ||
      a.calibration->channel_maxima != b.calibration->channel_maxima || !same_values()) {
    refuse(fmt::format("{} and {} cannot be joined: they were made with different recipes", *a.name, *b.name));
  }
}

void require_whole(const Named& share) {
  if (share.calibration->done == share.calibration->positions) return;
  refuse(fmt::format("{}: is a checkpoint with {} of {} samples done: finish it with `octavo calibrate --resume`",
                     *share.name, share.calibration->done, share.calibration->positions));
}

/// That `shares`, in order, are each there once.
void require_all(const std::vector<Named>& shares) {
  const std::size_t count = shares.front().calibration->share.count;
  for (std::size_t i = 1; i < shares.size(); ++i) {
    if (shares[i].calibration->share.index != shares[i - 1].calibration->share.index) continue;
    refuse(fmt::format("{} and {} are both share {} of {}", *shares[i - 1].name, *shares[i].name,
                       shares[i].calibration->share.index, count));
  }
  std::size_t next = 1;
  for (const Named& share : shares) {
    if (share.calibration->share.index != next) break;
    ++next;
  }
  if (next <= count) {
    refuse(fmt::format("share {} of {} is missing: {} of them are given", next, count, shares.size()));
  }
}

void append(ValueStatistics& value, const ValueStatistics& later, const std::string& name) {
  if (later.tensors.empty()) return;
  if (value.tensors.empty()) {
    value = later;
    return;
  }
  if (value.tensors.size() != later.tensors.size()) {
    refuse(fmt::format("'{}' has {} channels in one share and {} in another", name, value.tensors.size(),
                       later.tensors.size()));
  }
  for (std::size_t i = 0; i < value.tensors.size(); ++i) value.tensors[i].merge(later.tensors[i]);
}

}  // namespace

Calibration merge_calibrations(std::vector<Calibration> shares, const std::vector<std::string>& names) {
  if (shares.empty()) refuse("no calibrations to join");
  std::vector<Named> ordered;
  for (std::size_t i = 0; i < shares.size(); ++i) ordered.push_back({&shares[i], &names.at(i)});
  for (const Named& share : ordered) {
    require_whole(share);
    require_alike(ordered.front(), share);
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const Named& a, const Named& b) {
    return a.calibration->share.index < b.calibration->share.index;
  });
  require_all(ordered);
  for (const auto& [name, value] : ordered.front().calibration->values) {
    if (value.observer.empty() || ordered.size() == 1) continue;
    refuse(fmt::format("the state that {} keeps of '{}' cannot be joined: calibrate in one run", value.observer, name));
  }
  Calibration joined = std::move(*ordered.front().calibration);
  for (std::size_t i = 1; i < ordered.size(); ++i) {
    Calibration& later = *ordered[i].calibration;
    joined.samples += later.samples;
    joined.bad_files.insert(joined.bad_files.end(), later.bad_files.begin(), later.bad_files.end());
    for (auto& [name, value] : joined.values) append(value, later.values.at(name), name);
    later = Calibration();  // its memory is not needed any more
  }
  joined.share = Share();
  joined.positions = joined.done = joined.all_samples;
  return joined;
}

}  // namespace octavo
