#include "octavo/core/names.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace octavo {
namespace {

using Names = std::vector<std::string_view>;

TEST_CASE("The nearest names are suggested, nearest first, of equals the first") {
  CHECK(suggestion("kitten", Names{"mitten", "sitting", "kit"}) == "; did you mean 'mitten'?");
  CHECK(suggestion("ab", Names{"abcd", "ax", "ay", "ab"}, 3) == "; did you mean 'ab', 'ax' or 'ay'?");
  CHECK(suggestion("ab", Names{"abcd", "ax"}, 3) == "; did you mean 'ax' or 'abcd'?");
  CHECK(suggestion("", Names{"word"}) == "; did you mean 'word'?");
  CHECK(suggestion("ab", Names{}).empty());
}

TEST_CASE("One of a thing is one") {
  CHECK(count_of(0, "node") == "0 nodes");
  CHECK(count_of(1, "node") == "1 node");
  CHECK(count_of(std::size_t{12}, "node") == "12 nodes");
  CHECK(count_of(1, "batch", "batches") == "1 batch");
  CHECK(count_of(2, "batch", "batches") == "2 batches");
}

TEST_CASE("Names from files are compared by their beginnings, however long they are") {
  const std::string endless(std::size_t{1} << 24U, 'a');
  const std::string other(128, 'b');
  CHECK(suggestion(endless, Names{other, endless}).find("'aaa") != std::string::npos);
}

}  // namespace
}  // namespace octavo
