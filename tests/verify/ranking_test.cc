#include "ranking.h"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

using namespace octavo;

namespace {
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
}  // namespace

TEST_CASE("ranks count the scores above, and of equal ones those before") {
  const std::vector<float> scores = {1, 5, 5, 2, 5};
  CHECK(verify::best_class(scores) == 1);
  CHECK(verify::rank_of(scores, 1) == 0);
  CHECK(verify::rank_of(scores, 2) == 1);
  CHECK(verify::rank_of(scores, 4) == 2);
  CHECK(verify::rank_of(scores, 3) == 3);
  CHECK(verify::rank_of(scores, 0) == 4);
}

TEST_CASE("no class and no number is never right") {
  CHECK(verify::rank_of(std::vector<float>{1, 2}, 2) == kNone);
  CHECK(verify::rank_of(std::vector<float>{1, 2}, -1) == kNone);
  const std::vector<float> broken = {kNaN, 1, kNaN, 3};
  CHECK(verify::best_class(broken) == 3);
  CHECK(verify::rank_of(broken, 0) == kNone);
  CHECK(verify::rank_of(broken, 1) == 1);
  CHECK(verify::rank_of(broken, 3) == 0);
}

TEST_CASE("scores are one row of at least two a sample") {
  const auto is_scores = [](Shape shape) { return verify::is_scores(Tensor(DType::f32, std::move(shape))); };
  CHECK(is_scores({1, 10}));
  CHECK(is_scores({1, 10, 1, 1}));
  CHECK_FALSE(is_scores({1, 1}));
  CHECK_FALSE(is_scores({2, 10}));
  CHECK_FALSE(is_scores({10}));
  CHECK_FALSE(is_scores({1, 3, 4, 4}));
  CHECK_FALSE(verify::is_scores(Tensor(DType::i64, {1, 10})));
}
