#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>

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

}  // namespace

std::vector<std::int64_t> labels_for(const DataSource& data, const std::vector<LabelledSample>& labels) {
  if (!labels.empty() && !labels.front().mask.empty()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("the label of '{}' is a mask, '{}': top-1 and top-5 need a class number for each sample; leave "
                    "the labels out to compare the outputs alone",
                    labels.front().path.string(), labels.front().mask.string()));
  }
  const bool by_order = !labels.empty() && labels.front().path.empty();
  if (by_order && labels.size() != data.size()) {
    throw Error(ErrorCode::bad_data, fmt::format("{} labels for {} samples: labels without paths need one a sample",
                                                 labels.size(), data.size()));
  }
  std::map<std::string, std::int64_t> by_path;
  for (const LabelledSample& sample : labels) {
    if (!by_order) by_path[key_of(sample.path)] = sample.label;
  }
  std::vector<std::int64_t> result(data.size(), -1);
  bool any = false;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (by_order) {
      result[i] = labels[i].label;
    } else if (const auto found = by_path.find(key_of(data.name(i))); found != by_path.end()) {
      result[i] = found->second;
    }
    any = any || result[i] >= 0;
  }
  if (!any) {
    throw Error(ErrorCode::bad_data, fmt::format("no label belongs to any of the {} samples (the first is '{}', the "
                                                 "first label is for '{}'): paths are relative to the label file",
                                                 data.size(), data.size() > 0 ? data.name(0) : "",
                                                 labels.empty() ? "" : labels.front().path.string()));
  }
  return result;
}

}  // namespace octavo
