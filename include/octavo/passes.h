#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/backends.h"
#include "octavo/graph.h"
#include "octavo/plan.h"

namespace octavo {

/// A change of a graph that keeps what it computes. `run` returns how many places it changed and leaves
/// a graph that `Graph::check` accepts.
struct Pass {
  std::string_view name;  ///< verb_object
  std::string_view description;
  int (*run)(Graph& graph);
};

/// Every preparing pass, in the order `prepare` runs them.
std::span<const Pass> prepare_passes();

/// Runs the preparing passes until none changes anything: fold BatchNormalization, constants and
/// identities into a graph that is ready for planning. Names of surviving values are kept.
void prepare(Graph& graph);

/// Raises the default opset of `graph` to at least `opset`, converting the operators whose meaning or form
/// changed between. Throws Error(unsupported) naming an operator it cannot convert.
void upgrade_opset(Graph& graph, std::int64_t opset);

/// Value name → max |x| of each channel (dimension 1) over some samples.
using ChannelMaxima = std::map<std::string, std::vector<float>, std::less<>>;

/// Brings the channels of planned activations closer to each other's range, by factors that the weights before
/// and behind take in: the graph computes the same but for the last bits, and one scale a tensor then wastes less
/// on its small channels. Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721) driven by activations, as
/// in SmoothQuant (Xiao et al. 2022, arXiv 2211.10438). Notes the factors in the graph's metadata. Returns how
/// many nodes it changed; ids stay valid.
int equalize_channels(Graph& graph, const Plan& plan, const ChannelMaxima& maxima);

/// What equalize_channels multiplied each channel of `value` by; empty where it left the value alone.
std::vector<float> equalizing_factors(const Graph& graph, std::string_view value);

/// Turns a plan with its parameters and rounded weights into QuantizeLinear/DequantizeLinear nodes and
/// integer constants: after it the graph is the only carrier of every quantization decision. Biases become int32
/// here. Graph outputs keep their names. Throws Error(internal) where a planned value or weight is missing.
void insert_qdq(Graph& graph, const Plan& plan, const QParamsByName& activations, const QuantizedWeights& weights);

}  // namespace octavo
