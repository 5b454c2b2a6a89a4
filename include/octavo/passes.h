#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
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

/// Prepares a graph for a backend, whose opset it gets where its own is older. Returns notes for the user.
std::vector<std::string> prepare_for(Graph& graph, const BackendSpec& backend);

/// Raises the default opset of `graph` to at least `opset`, converting the operators whose meaning or form
/// changed between; up to 21. Ids of nodes and values stay valid. Throws Error(unsupported) naming an operator it
/// cannot convert, and leaves the graph as it was.
void upgrade_opset(Graph& graph, std::int64_t opset);

/// The opset that Q/DQ with the plan's schemes need: 21 for 16 bits, for weights of at most 4 and for groups, 13 for
/// scales per channel, 11 for activations of fewer than 8 bits, else 10.
std::int64_t needed_opset(const Plan& plan);

/// Raises the opset to what the plan's schemes need, and to `at_least`; the plan stays valid. Where no more than
/// weights of few bits ask for it, and `four_bits` is false or the graph cannot be raised, they will be stored in 8
/// bits. Returns notes for the user.
std::vector<std::string> raise_opset(Graph& graph, const Plan& plan, std::int64_t at_least = 0, bool four_bits = true);

/// Brings a model that another tool quantized in ONNX Runtime's QOperator form (QLinearConv, QLinearMatMul, and QGemm,
/// QLinearAdd … of com.microsoft) to the one form that Octavo reads decisions from: float operators between
/// DequantizeLinear and QuantizeLinear. What hands integers on gets pairs as well, and pairs of com.microsoft become
/// those of ai.onnx; the opset is raised where their types need it. An operator on integers with no float form stays.
/// Returns how many nodes it changed; 0: nothing was to do. Throws Error as upgrade_opset and infer_shapes do.
int restore_qdq(Graph& graph);

/// Value name → max |x| of each channel (dimension 1) over some samples.
using ChannelMaxima = std::map<std::string, std::vector<float>, std::less<>>;

/// Brings the channels of planned activations closer to each other's range, by factors that the weights before
/// and behind take in: the graph computes the same but for the last bits, and one scale a tensor then wastes less
/// on its small channels. Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721) driven by activations, as
/// in SmoothQuant (Xiao et al. 2022, arXiv 2211.10438). Notes the factors in the graph's metadata. Returns how
/// many nodes it changed; ids stay valid.
int equalize_channels(Graph& graph, const Plan& plan, const ChannelMaxima& maxima);

/// Value name → factor of each channel; values with the same factors share them.
using FactorsByValue = std::map<std::string, std::shared_ptr<const std::vector<float>>, std::less<>>;

/// What equalize_channels multiplied the channels of values by, without those that it left alone.
FactorsByValue equalizing_factors(const Graph& graph);

/// Activations with a scale for each channel (dimension 1), as in TNN: an integer sum over channels needs one unit, so
/// the weights behind are quantized after multiplication by the scales of their input. What the weight of a node is to
/// be multiplied by, of the weight's rank and broadcasting over it; nothing where it is not: an input with one scale,
/// or a depthwise convolution, whose sums stay in a channel. Throws Error(unsupported) where the scales do not run
/// along what the weight sums over.
std::optional<Tensor> input_steps(const Graph& graph, NodeId node, const QParams& input);
/// weight · steps.
Tensor multiplied_by_steps(const Tensor& weight, const Tensor& steps);

/// Turns a plan with its parameters and rounded weights into QuantizeLinear/DequantizeLinear nodes and
/// integer constants: after it the graph is the only carrier of every quantization decision. Biases become int32
/// here. Graph outputs keep their names. A weight whose input has a scale for each channel is expected to be rounded
/// after multiplication by `input_steps`, and becomes DequantizeLinear and Mul by their inverse. Throws Error(internal)
/// where a planned value or weight is missing, Error(unsupported) where the opset is below needed_opset.
void insert_qdq(Graph& graph, const Plan& plan, const QParamsByName& activations, const QuantizedWeights& weights);

/// Stores the plan's weights as integers behind DequantizeLinear and leaves everything else in float.
void insert_weights_only(Graph& graph, const Plan& plan, const QuantizedWeights& weights);

/// Makes products of integers of Gemm and MatMul with planned 8-bit weights, per tensor or per column: activations are
/// quantized to uint8 by the range they have at run time (DynamicQuantizeLinear, MatMulInteger, Cast, Mul; the form
/// that ONNX Runtime's own dynamic quantization writes). All other planned weights are stored as by
/// insert_weights_only; returned is what reads these.
std::vector<std::string> insert_dynamic(Graph& graph, const Plan& plan, const QuantizedWeights& weights);

}  // namespace octavo
