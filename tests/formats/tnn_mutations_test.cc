// Files of TNN that went wrong on their way or were made to harm: an Error or a graph, never anything else.
#include <array>
#include <catch2/catch.hpp>
#include <string_view>

#include "mutations.h"
#include "octavo/error.h"
#include "tnn_support.h"

using namespace octavo;
using namespace octavo::formats_test;

namespace {

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
