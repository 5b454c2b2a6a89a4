#include "ranking.h"

#include <algorithm>

namespace octavo::verify {

bool is_scores(const TensorView& tensor) {
  if (tensor.dtype() != DType::f32 || tensor.rank() < 2 || tensor.dim(0) != 1) return false;
  return tensor.dim(1) > 1 && tensor.size() == tensor.dim(1);
}

std::int64_t best_class(std::span<const float> scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

std::size_t rank_of(std::span<const float> scores, std::int64_t label) {
  if (label < 0 || static_cast<std::size_t>(label) >= scores.size()) return scores.size();
  const auto own = static_cast<std::size_t>(label);
  std::size_t rank = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > scores[own] || (scores[i] == scores[own] && i < own)) ++rank;
  }
  return rank;
}

}  // namespace octavo::verify
