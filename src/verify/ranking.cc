#include "ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace octavo::verify {

bool is_scores(const TensorView& tensor) {
  if (tensor.dtype() != DType::f32 || tensor.rank() < 2 || tensor.dim(0) != 1) return false;
  return tensor.dim(1) > 1 && tensor.size() == tensor.dim(1);
}

namespace {

/// NaN is below every number: a model that computes none gets nothing right.
bool above(float a, float b) { return !std::isnan(a) && (std::isnan(b) || a > b); }

}  // namespace

std::int64_t best_class(std::span<const float> scores) {
  const auto below = [](float a, float b) { return above(b, a); };
  return std::max_element(scores.begin(), scores.end(), below) - scores.begin();
}

std::size_t rank_of(std::span<const float> scores, std::int64_t label) {
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  if (label < 0 || static_cast<std::size_t>(label) >= scores.size()) return kNone;
  const auto own = static_cast<std::size_t>(label);
  if (std::isnan(scores[own])) return kNone;
  std::size_t rank = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (above(scores[i], scores[own]) || (scores[i] == scores[own] && i < own)) ++rank;
  }
  return rank;
}

}  // namespace octavo::verify
