// The executor with ncnn's arithmetic, against what ncnn itself computed (golden/make_ncnn_int8.py).
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "execute/support.h"

using namespace octavo;

namespace {

struct Case {
  std::string name;
  bool same = false;  ///< to the bit; otherwise ncnn takes an approximate reciprocal
  bool int8 = false;
  std::string graph;
  std::vector<float> input;
  std::vector<std::string> output;
};

std::vector<Case> cases() {
  std::ifstream file(std::string(OCTAVO_SOURCE_DIR) + "/tests/execute/golden/ncnn_int8.txt");
  REQUIRE(file.is_open());
  std::vector<Case> result;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "case") {
      Case& next = result.emplace_back();
      std::string equality;
      std::string type;
      words >> next.name >> equality >> type;
      next.same = equality == "same";
      next.int8 = type == "int8";
    } else if (key == "graph") {
      result.back().graph = line.substr(key.size() + 1);
    } else if (key == "input") {
      for (float number = 0.0F; words >> number;) result.back().input.push_back(number / 1024.0F);
    } else if (key == "output") {
      for (std::string word; words >> word;) result.back().output.push_back(word);
    }
  }
  return result;
}

Tensor run(const Case& layer, ThreadPool* pool = nullptr) {
  const Graph graph = parse_graph(layer.graph);
  const Shape shape = graph.value(graph.inputs().front()).static_shape().value();
  const Tensor x = Tensor::from<float>(shape, std::span<const float>(layer.input));
  const Executor executor(graph, {.watched = {}, .arithmetic = kNcnnArithmetic});
  return Executor::Session(executor, pool).run({&x, 1}).front();
}

/// Distances to what ncnn computed, in steps of int8 or in last places of floats.
std::vector<std::int64_t> distances(const Case& layer, const Tensor& found) {
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < layer.output.size(); ++i) {
    if (layer.int8) {
      result.push_back(std::abs(std::stoll(layer.output[i]) - found.data<std::int8_t>()[i]));
    } else {
      std::int32_t bits = 0;
      std::memcpy(&bits, &found.data<float>()[i], sizeof bits);
      result.push_back(std::abs(static_cast<std::int64_t>(std::stoul(layer.output[i], nullptr, 16)) -
                                static_cast<std::int64_t>(static_cast<std::uint32_t>(bits))));
    }
  }
  return result;
}

}  // namespace

TEST_CASE("ncnn's int8 layers are computed to the bit, but where ncnn itself approximates") {
  const auto all = cases();
  REQUIRE(all.size() >= 15);
  for (const Case& layer : all) {
    INFO(layer.name);
    const Tensor found = run(layer);
    REQUIRE(static_cast<std::size_t>(found.size()) == layer.output.size());
    const auto apart = distances(layer, found);
    const auto equal = static_cast<double>(std::count(apart.begin(), apart.end(), 0));
    CHECK(equal >= (layer.same ? 1.0 : 0.995) * static_cast<double>(apart.size()));
    CHECK(*std::max_element(apart.begin(), apart.end()) <= (layer.same ? 0 : 1));
    ThreadPool pool(3);
    const Tensor again = run(layer, &pool);
    CHECK(std::memcmp(again.bytes(), found.bytes(), found.byte_size()) == 0);
  }
}

TEST_CASE("with another runtime's arithmetic the same graphs give other integers") {
  std::size_t different = 0;
  for (const Case& layer : cases()) {
    if (layer.name != "ties") continue;
    const Graph graph = parse_graph(layer.graph);
    const Tensor x = Tensor::from<float>(graph.value(graph.inputs().front()).static_shape().value(),
                                         std::span<const float>(layer.input));
    const auto apart = distances(layer, Executor::Session(Executor(graph)).run({&x, 1}).front());
    different =
        static_cast<std::size_t>(apart.size()) - static_cast<std::size_t>(std::count(apart.begin(), apart.end(), 0));
  }
  CHECK(different > 0);
}
