#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/verify.h"

namespace octavo {
namespace {

std::string key_of(const std::filesystem::path& path) {
  std::error_code error;  // what cannot be looked up is taken as it is written
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  const std::filesystem::path canonical = error ? path : std::filesystem::weakly_canonical(whole, error);
  return (error ? path : canonical).lexically_normal().string();
}

/// Which of `labels` belongs to each sample; nothing where none does.
std::vector<const LabelledSample*> matched(const DataSource& data, const std::vector<LabelledSample>& labels) {
  const bool by_order = !labels.empty() && labels.front().path.empty();
  if (by_order && labels.size() != data.size()) {
    throw Error(ErrorCode::bad_data, fmt::format("{} for {}: labels without paths need one a sample",
                                                 count_of(labels.size(), "label"), count_of(data.size(), "sample")));
  }
  std::map<std::string, const LabelledSample*> by_path;
  for (const LabelledSample& sample : labels) {
    if (!by_order) by_path[key_of(sample.path)] = &sample;
  }
  std::vector<const LabelledSample*> result(data.size(), nullptr);
  bool any = false;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (by_order) {
      result[i] = &labels[i];
    } else if (const auto found = by_path.find(key_of(data.name(i))); found != by_path.end()) {
      result[i] = found->second;
    }
    any = any || result[i] != nullptr;
  }
  if (any) return result;
  throw Error(ErrorCode::bad_data, fmt::format("no label belongs to any of the {} samples (the first is '{}', the "
                                               "first label is for '{}'): paths are relative to the label file",
                                               data.size(), data.size() > 0 ? data.name(0) : "",
                                               labels.empty() ? "" : labels.front().path.string()));
}

/// A file of labels says one thing of all its samples.
void require_kind(const std::vector<LabelledSample>& labels, bool masks) {
  for (const LabelledSample& sample : labels) {
    if (sample.mask.empty() != masks) continue;
    throw Error(ErrorCode::bad_data,
                fmt::format("the label of '{}' is {}, and others are {}: give all samples classes, or all masks",
                            sample.path.string(), masks ? "a class" : "a mask", masks ? "masks" : "classes"));
  }
}

}  // namespace

std::vector<std::int64_t> labels_for(const DataSource& data, const std::vector<LabelledSample>& labels) {
  require_kind(labels, false);
  std::vector<std::int64_t> result;
  for (const LabelledSample* sample : matched(data, labels)) result.push_back(sample == nullptr ? -1 : sample->label);
  return result;
}

std::vector<std::filesystem::path> masks_for(const DataSource& data, const std::vector<LabelledSample>& labels) {
  require_kind(labels, true);
  std::vector<std::filesystem::path> result;
  for (const LabelledSample* sample : matched(data, labels)) {
    result.push_back(sample == nullptr ? std::filesystem::path() : sample->mask);
  }
  return result;
}

}  // namespace octavo
