#include "layer.h"

#include <fmt/format.h>

#include "octavo/error.h"

namespace octavo::formats::ncnn {
namespace {

template <typename T>
const T* as(const std::map<int, Param>& values, int id, std::string_view expected) {
  const auto found = values.find(id);
  if (found == values.end()) return nullptr;
  if (const T* value = std::get_if<T>(&found->second)) return value;
  throw Error(ErrorCode::bad_model, fmt::format("parameter {} is no {}", id, expected));
}

}  // namespace

std::int32_t Params::int_or(int id, std::int32_t fallback) const {
  const auto* value = as<std::int32_t>(values_, id, "integer");
  return value == nullptr ? fallback : *value;
}

/// The runtime takes the bits of an integer for a float's; only those of 0 mean the same.
float Params::float_or(int id, float fallback) const {
  const auto found = values_.find(id);
  if (found != values_.end() && found->second == Param(std::int32_t{0})) return 0.0F;
  const auto* value = as<float>(values_, id, "number with a point or exponent");
  return value == nullptr ? fallback : *value;
}

std::vector<std::int32_t> Params::ints(int id) const {
  const auto* value = as<std::vector<std::int32_t>>(values_, id, "list of integers");
  return value == nullptr ? std::vector<std::int32_t>() : *value;
}

std::vector<float> Params::floats(int id) const {
  const auto* value = as<std::vector<float>>(values_, id, "list of numbers with a point or exponent");
  return value == nullptr ? std::vector<float>() : *value;
}

void Params::set(int id, std::int64_t value, std::int64_t fallback) {
  if (value != fallback) values_[id] = static_cast<std::int32_t>(value);
}

}  // namespace octavo::formats::ncnn
