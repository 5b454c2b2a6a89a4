#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "octavo/data.h"
#include "octavo/execute.h"
#include "octavo/graph.h"

namespace octavo::test {

/// Uniform in [-1, 1) times `scale`, the same for a seed on every machine.
inline Tensor uniform_tensor(Shape shape, std::uint32_t seed, float scale = 1.0F) {
  std::mt19937 generator(seed);
  Tensor tensor(DType::f32, std::move(shape));
  for (float& x : tensor.mutable_data<float>()) x = scale * (static_cast<float>(generator()) / 2147483648.0F - 1.0F);
  return tensor;
}

/// A tensor for every input; open dimensions get size 2.
inline std::vector<Tensor> random_inputs(const Graph& graph, std::uint32_t seed) {
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    Shape shape;
    for (const Dim& dim : graph.value(id).dims.value()) shape.push_back(dim.known() ? dim.size : 2);
    inputs.push_back(uniform_tensor(shape, seed++));
  }
  return inputs;
}

inline std::vector<Tensor> run_graph(const Graph& graph, const std::vector<Tensor>& inputs) {
  const Executor executor(graph);
  return Executor::Session(executor).run(inputs);
}

/// Largest |a - b| over outputs of f32, relative to the largest |a|; infinite where shapes or types differ.
inline double relative_difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  constexpr double kDiffer = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return kDiffer;
  double worst = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].shape() != b[i].shape() || a[i].dtype() != b[i].dtype()) return kDiffer;
    if (a[i].dtype() != DType::f32) {
      if (std::memcmp(a[i].bytes(), b[i].bytes(), a[i].byte_size()) != 0) return kDiffer;
      continue;
    }
    double largest = 0.0;
    double difference = 0.0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(a[i].size()); ++k) {
      const double x = a[i].data<float>()[k];
      const double error = std::abs(x - b[i].data<float>()[k]);
      largest = std::max(largest, std::abs(x));
      difference = std::isnan(error) ? kDiffer : std::max(difference, error);
    }
    if (difference > 0.0) worst = std::max(worst, largest > 0.0 ? difference / largest : difference);
  }
  return worst;
}

/// Whether both graphs give the same bits.
inline bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].shape() != b[i].shape() || a[i].dtype() != b[i].dtype()) return false;
    if (std::memcmp(a[i].bytes(), b[i].bytes(), a[i].byte_size()) != 0) return false;
  }
  return true;
}

/// The graph's statements in order of the alphabet, without the types of what nodes compute: for comparing what
/// a pass did with what is expected of it.
inline std::string statements(Graph graph) {
  for (const ValueId id : graph.values()) {
    Value& value = graph.value(id);
    if (value.is_constant() || graph.is_input(id)) continue;
    value.dims.reset();
    value.dtype = DType::undefined;
  }
  std::istringstream text(to_text(graph));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

/// Samples that lie in memory; those listed as bad cannot be loaded.
class MemorySource : public DataSource {
 public:
  explicit MemorySource(std::vector<std::vector<Tensor>> samples, std::vector<std::size_t> bad = {})
      : samples_(std::move(samples)), bad_(std::move(bad)) {}
  /// `count` random samples for the inputs of `graph`.
  MemorySource(const Graph& graph, std::size_t count, std::uint32_t seed = 100) {
    for (std::size_t i = 0; i < count; ++i) {
      samples_.push_back(random_inputs(graph, seed + 10 * static_cast<std::uint32_t>(i)));
    }
  }

  std::size_t size() const override { return samples_.size(); }
  std::vector<Tensor> load(std::size_t index) const override {
    if (std::find(bad_.begin(), bad_.end(), index) != bad_.end()) {
      throw Error(ErrorCode::bad_data, name(index) + ": broken");
    }
    return samples_.at(index);
  }
  std::string name(std::size_t index) const override { return "sample" + std::to_string(index); }

 private:
  std::vector<std::vector<Tensor>> samples_;
  std::vector<std::size_t> bad_;
};

/// The code of the error that `work` throws; ok where it throws none.
template <typename Work>
ErrorCode error_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::ok;
}

}  // namespace octavo::test
