#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "elementwise.h"
#include "exact_convolution.h"
#include "op.h"

namespace octavo::execute {

/// What all convolutions of 8-bit integers begin with. An input of two dimensions is a matrix of rows, each of which is
/// multiplied by the weights, also of two dimensions: outputs x inputs.
class IntegerConvolution : public Kernel {
 public:
  IntegerConvolution(const NodeContext& context, IntegerConvInputs inputs);

 protected:
  struct Problem {
    ConvShape shape;
    Shape output;

    std::size_t plane() const { return static_cast<std::size_t>(shape.output_size()); }
  };

  Problem problem(const RunContext& context) const;

  /// Calls body(sums) with the sums of products, as floats where these are exact. Padding is the zero point, so it is
  /// 0 once that is subtracted.
  template <typename Body>
  void with_sums(RunContext& context, const Problem& problem, const Body& body) const {
    const std::size_t count = output_count(context, problem);
    if (exact_ != nullptr && count > 0 && context.input(inputs_.x).size() > 0) {
      const auto sums = context.scratch<float>(count);
      accumulate_exactly(context, problem, sums);
      body(std::span<const float>(sums));
    } else {
      const auto sums = context.scratch<std::int32_t>(count);
      accumulate(context, problem, sums);
      body(std::span<const std::int32_t>(sums));
    }
  }

  /// y = f(channel, sum) plane by plane; `channels` has one for each output channel.
  template <typename Channel, typename Sum, typename T, typename F>
  static void map_planes(const std::vector<Channel>& channels, std::size_t plane, std::span<const Sum> sums,
                         std::span<T> y, const F& f) {
    for (std::size_t first = 0, index = 0; first < y.size(); first += plane, ++index) {
      const Channel channel = channels[index % channels.size()];
      const Sum* from = sums.data() + first;
      T* to = y.data() + first;
      OCTAVO_INDEPENDENT
      for (std::size_t i = 0; i < plane; ++i) to[i] = f(channel, from[i]);
    }
  }

  /// The numbers of an input, of which there must be one or one for each of `channels`, repeated to `channels`.
  static std::vector<float> by_channel(const RunContext& context, std::size_t input, std::int64_t channels,
                                       std::string_view what);

  const IntegerConvInputs inputs_;

 private:
  static std::size_t output_count(const RunContext& context, const Problem& problem);
  void accumulate_exactly(RunContext& context, const Problem& problem, std::span<float> sums) const;
  void accumulate(RunContext& context, const Problem& problem, std::span<std::int32_t> acc) const;

  const Node node_;
  const std::int64_t groups_;
  std::unique_ptr<Convolution> exact_;
};

}  // namespace octavo::execute
