// Files of TNN that went wrong on their way or were made to harm: an Error or a graph, never anything else.
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string_view>

#include "octavo/error.h"
#include "tnn_support.h"

using namespace octavo;
using namespace octavo::formats_test;

namespace {

constexpr int kMutations = 1000;

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string mutated(std::string text, std::span<const std::string_view> tokens) {
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change(text, tokens);
    return text;
  }

 private:
  std::size_t below(std::size_t count) { return count == 0 ? 0 : random_() % count; }

  void change(std::string& text, std::span<const std::string_view> tokens) {
    const std::size_t place = below(text.size());
    switch (below(6)) {
      case 0:
        text.resize(place);
        break;
      case 1:
        if (!text.empty()) text[place] = static_cast<char>(text[place] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(place, 1 + below(12));
        break;
      case 3:
        text.insert(place, text.substr(below(text.size()), below(40)));
        break;
      case 4:
        if (!text.empty()) text[place] = static_cast<char>('0' + below(10));
        break;
      default:
        text.insert(place, tokens[below(tokens.size())]);
    }
  }

  std::mt19937 random_;
};

std::size_t bytes_of_constants(const Graph& graph) {
  std::size_t bytes = 0;
  for (const ValueId id : graph.values()) {
    if (const Tensor* const constant = graph.constant(id)) bytes += constant->byte_size();
  }
  return bytes;
}

void check_mutations(const char* name, bool of_proto) {
  using namespace std::string_view_literals;
  static constexpr std::array<std::string_view, 10> kTokens{
      " -1 ", " 2147483647 ",       ",",         ": ", "Quantized", " 99999999999999999999 ", "\xFF\xFF\xFF\x7F"sv,
      " 0 ",  "\x04\x00\xBC\xFA"sv, "\0\0\0\0"sv};
  const TnnFiles files = tnn_golden(name);
  REQUIRE_FALSE(files.proto.empty());
  int read = 0;
  for (int seed = 0; seed < kMutations; ++seed) {
    INFO(name << ", seed " << seed);
    TnnFiles broken = files;
    std::string& text = of_proto ? broken.proto : broken.model;
    text = Mutator(static_cast<std::uint32_t>(seed)).mutated(text, kTokens);
    try {
      const Graph graph = read_tnn(broken);
      // Constants are copies of the file's, and a few numbers a layer.
      CHECK(bytes_of_constants(graph) < 8 * (broken.proto.size() + broken.model.size()));
      ++read;
    } catch (const Error& error) {
      CHECK((error.code() == ErrorCode::bad_model || error.code() == ErrorCode::unsupported));
    }
  }
  CHECK(read < kMutations);
}

}  // namespace

TEST_CASE("TNN: a thousand broken texts of a float model") { check_mutations("float_v2", true); }
TEST_CASE("TNN: a thousand broken weights of a float model") { check_mutations("float_v1", false); }
TEST_CASE("TNN: a thousand broken texts of an integer model") { check_mutations("int8_t0", true); }
TEST_CASE("TNN: a thousand broken weights of an integer model") { check_mutations("int8_t0", false); }
