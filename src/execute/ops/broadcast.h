#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "op.h"

namespace octavo::execute {

/// Shape that ONNX's multidirectional broadcasting gives for the inputs [0, count); fails where they do
/// not fit together.
Shape broadcast_shape(const RunContext& context, std::size_t count);

/// Walks N shapes broadcast to `output` as contiguous rows of the output that are as long as can be: two
/// equal shapes are one row, a per-channel vector against NCHW one row a channel.
template <std::size_t N>
class Broadcast {
 public:
  struct Row {
    std::int64_t output = 0;              ///< index of the row's first element in the output
    std::array<std::int64_t, N> input{};  ///< … and in each input
  };

  /// Every shape must broadcast to `output`.
  Broadcast(const std::array<std::span<const std::int64_t>, N>& shapes, std::span<const std::int64_t> output);

  std::int64_t row_length() const { return length_; }
  std::int64_t rows() const { return rows_; }
  /// 1 where the input advances within a row, 0 where all of the row reads one element.
  std::int64_t step(std::size_t input) const { return step_[input]; }
  Row row(std::int64_t index) const;

 private:
  struct Dim {
    std::int64_t size = 1;
    std::array<std::int64_t, N> stride{};  // 0 where the input is broadcast along it
  };
  std::vector<Dim> outer_;  // outermost first; neighbours that all inputs walk alike are one
  std::int64_t length_ = 1;
  std::int64_t rows_ = 1;
  std::array<std::int64_t, N> step_{};
};

template <std::size_t N>
Broadcast<N>::Broadcast(const std::array<std::span<const std::int64_t>, N>& shapes,
                        std::span<const std::int64_t> output) {
  std::array<std::int64_t, N> elements{};
  elements.fill(1);
  std::vector<Dim> dims;  // innermost first
  for (std::size_t back = 1; back <= output.size(); ++back) {
    Dim dim{output[output.size() - back], {}};
    bool joins = !dims.empty();
    for (std::size_t i = 0; i < N; ++i) {
      const std::int64_t size = back <= shapes[i].size() ? shapes[i][shapes[i].size() - back] : 1;
      dim.stride[i] = size == 1 ? 0 : elements[i];
      elements[i] *= size;
      if (joins) joins = dim.stride[i] == dims.back().stride[i] * dims.back().size;
    }
    if (dim.size == 1) continue;
    if (joins) {
      dims.back().size *= dim.size;
    } else {
      dims.push_back(dim);
    }
  }
  if (dims.empty()) return;
  length_ = dims.front().size;
  for (std::size_t i = 0; i < N; ++i) step_[i] = dims.front().stride[i];
  outer_.assign(dims.rbegin(), dims.rend() - 1);
  for (const Dim& dim : outer_) rows_ *= dim.size;
  if (length_ == 0) rows_ = 0;
}

template <std::size_t N>
typename Broadcast<N>::Row Broadcast<N>::row(std::int64_t index) const {
  Row row;
  row.output = index * length_;
  for (std::size_t d = outer_.size(); d-- > 0;) {
    const std::int64_t at = index % outer_[d].size;
    index /= outer_[d].size;
    for (std::size_t i = 0; i < N; ++i) row.input[i] += at * outer_[d].stride[i];
  }
  return row;
}

}  // namespace octavo::execute
