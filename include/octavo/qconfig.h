#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "octavo/core/fake_quantizers/entry.h"
#include "octavo/core/observers/entry.h"
#include "octavo/core/qscheme.h"
#include "octavo/core/weights/entry.h"

namespace octavo {

/// How finely scales are given. The dimension follows from the tensor's role: output channels of a weight (Conv 0,
/// ConvTranspose 1, Gemm by transB, MatMul last), dimension 1 of an activation; groups of a weight run along its
/// inputs.
enum class Granularity : std::uint8_t { per_tensor, per_channel, per_group };

/// An observer by name, with what it wants to know.
struct ObserverChoice {
  std::string type;
  ObserverOptions options;
};

/// How tensors of one kind, weights or activations, are quantized: MMRazor's w_… or a_… keys. What is left out is
/// the backend's or the planner's choice; in an override it stays as it is.
struct TensorQConfig {
  std::optional<ObserverChoice> observer;
  std::optional<std::string> fake_quant;  ///< name in the table of fake-quantizers; left out: FakeQuantize
  std::optional<QScheme> scheme;          ///< without axis and group_size: the planner fills them in
  /// Left out: per channel where the observer's name says PerChannel, and the backend's choice without an observer.
  std::optional<Granularity> granularity;
  int group_size = 0;  ///< weights that share a scale, above 0 where per_group
};

/// What differs from the global configuration for some nodes: those of an operator type, of a name, or of names that a
/// glob matches (* and ?). A node without a name goes by the name of the first value it computes. What is left out
/// stays as it is.
struct QOverride {
  std::string op_type;  ///< empty: any
  std::string node;     ///< name or glob; empty: any. Names of graph inputs stand for these
  std::optional<TensorQConfig> weight;
  /// Of what the node computes, the activation that is fused into it included.
  std::optional<TensorQConfig> activation;
  std::optional<std::string> weight_method;
  std::optional<bool> skip;  ///< true: the node stays in float; false: it does not, whatever an earlier one says
  std::string where;         ///< for messages: where the user wrote it, "recipe.yaml:7: skip"; empty: its place here
};

/// The subgraph between two names of nodes or values, both included: what lies on a way from one to the other.
struct QSpan {
  std::string from;
  std::string to;
  std::string where;  ///< as in QOverride
};

/// What a user adds to the tables, to be chosen by name like what is built in.
struct Extensions {
  std::vector<ObserverEntry> observers;
  std::vector<FakeQuantizeEntry> fake_quantizers;
  std::vector<WeightMethodEntry> weight_methods;
};

/// Which values are quantized and how: one global rule, and what differs from it. Later overrides win.
struct QConfig {
  TensorQConfig weight;
  TensorQConfig activation;
  /// Name in the table of weight methods: "minmax" takes the weight observer's parameters and rounds to the nearest.
  std::string weight_method = "minmax";
  /// Weights use all integers of their scheme even where the backend's fastest kernels want fewer (NarrowWeights): for
  /// who runs it without these kernels.
  bool full_range_weights = false;
  std::vector<QOverride> overrides;
  std::vector<QSpan> skipped_spans;  ///< stay in float
  Extensions extensions;
};

}  // namespace octavo
