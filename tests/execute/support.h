#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "octavo/execute.h"

namespace octavo::test {

/// Uniform in [-1, 1), the same for a seed on every machine.
inline Tensor random_tensor(Shape shape, std::uint32_t seed) {
  std::mt19937 generator(seed);
  Tensor tensor(DType::f32, std::move(shape));
  for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(generator()) / 2147483648.0F - 1.0F;
  return tensor;
}

inline std::vector<Tensor> run_text(const std::string& text, std::span<const Tensor> inputs,
                                    ThreadPool* pool = nullptr) {
  const Executor executor(parse_graph(text));
  return Executor::Session(executor, pool).run(inputs);
}

template <typename T>
std::vector<T> values(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace octavo::test
