#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "confusion.h"
#include "distance_sums.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/execute.h"
#include "octavo/passes.h"
#include "octavo/samples.h"
#include "octavo/verify.h"
#include "ranking.h"

namespace octavo {
namespace {

using verify::Confusion;
using verify::DistanceSums;

/// A value that both graphs compute under one name.
struct Layer {
  ValueId reference = kNoValue;
  ValueId quantized = kNoValue;
  /// From the quantized graph's channels back to the reference's; empty: the same. Layers share them.
  std::shared_ptr<const std::vector<float>> factors;
};

/// What one sample contributes.
struct SampleResult {
  std::vector<DistanceSums> layers;
  std::vector<DistanceSums> outputs;
  std::vector<std::size_t> compared;        // outputs that can be
  std::vector<std::optional<bool>> agrees;  // by output; nothing where it has no scores
  // How many classes stand before the labelled one in the first output; nothing without label or scores.
  std::optional<std::size_t> float_rank;
  std::optional<std::size_t> quantized_rank;
  bool masked = false;
  Confusion float_pixels;
  Confusion quantized_pixels;
};

void require_same_names(const Graph& reference, const Graph& quantized, const std::vector<ValueId>& a,
                        const std::vector<ValueId>& b, std::string_view what) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = reference.value(a[i]).name == quantized.value(b[i]).name;
  if (same) return;
  const auto names = [](const Graph& graph, const std::vector<ValueId>& ids) {
    std::string text;
    for (const ValueId id : ids) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", graph.value(id).name);
    return text;
  };
  throw Error(ErrorCode::invalid_argument,
              fmt::format("the two models have different {}: {} and {}; compare a model with what was made of it", what,
                          names(reference, a), names(quantized, b)));
}

/// Equalizing multiplies channels of inner values, in one of the graphs or in both.
class FactorsBetween {
 public:
  FactorsBetween(const Graph& reference, const Graph& quantized)
      : reference_(equalizing_factors(reference)), quantized_(equalizing_factors(quantized)) {}

  std::shared_ptr<const std::vector<float>> of(const std::string& value) {
    const auto noted = [&](const FactorsByValue& factors) {
      const auto found = factors.find(value);
      return found == factors.end() ? nullptr : found->second;
    };
    const Factors to = noted(reference_);
    const Factors from = noted(quantized_);
    if (from == nullptr) return to == nullptr ? none_ : to;
    if (to != nullptr && to->size() != from->size()) return none_;
    const auto [place, is_new] = quotients_.try_emplace({to, from});
    if (is_new) {
      std::vector<float> quotient = to == nullptr ? std::vector<float>(from->size(), 1.0F) : *to;
      for (std::size_t c = 0; c < quotient.size(); ++c) quotient[c] /= (*from)[c];
      place->second = std::make_shared<const std::vector<float>>(std::move(quotient));
    }
    return place->second;
  }

 private:
  using Factors = std::shared_ptr<const std::vector<float>>;

  Factors none_ = std::make_shared<const std::vector<float>>();
  FactorsByValue reference_;
  FactorsByValue quantized_;
  std::map<std::pair<Factors, Factors>, Factors> quotients_;
};

/// Whether `reader` makes integers of a value: itself or, where these have fewer bits than their type, as the Clip
/// that quantization put before it. A Clip of the float graph stands for a value of its own.
bool makes_integers(const Graph& reference, const Graph& quantized, NodeId reader) {
  const Node& node = quantized.node(reader);
  if (node.op_type == "QuantizeLinear") return true;
  if (node.op_type != "Clip" || node.output(0) == kNoValue) return false;
  if (reference.find_value(quantized.value(node.output(0)).name)) return false;
  const auto readers = quantized.consumers(node.output(0));
  return std::any_of(readers.begin(), readers.end(),
                     [&](NodeId next) { return quantized.node(next).op_type == "QuantizeLinear"; });
}

/// Values that become integers, by what their QuantizeLinear reads, as the float graph knows them.
std::vector<Layer> common_layers(const Graph& reference, const Graph& quantized) {
  std::vector<Layer> layers;
  FactorsBetween factors(reference, quantized);
  for (const NodeId id : reference.nodes()) {
    for (const ValueId output : reference.node(id).outputs) {
      if (output == kNoValue || reference.is_output(output)) continue;
      const auto found = quantized.find_value(reference.value(output).name);
      if (!found || quantized.value(*found).is_constant() || quantized.producer(*found) == kNoNode) continue;
      for (const NodeId reader : quantized.consumers(*found)) {
        if (!makes_integers(reference, quantized, reader)) continue;
        layers.push_back({output, *found, factors.of(reference.value(output).name)});
        break;
      }
    }
  }
  return layers;
}

bool comparable(const TensorView& a, const TensorView& b) {
  return a.dtype() == DType::f32 && b.dtype() == DType::f32 &&
         std::equal(a.shape().begin(), a.shape().end(), b.shape().begin(), b.shape().end());
}

/// Integers as floats, so that ArgMax and the like can be compared; any other type as it is.
Tensor as_float(const Tensor& tensor) {
  const auto convert = [&]<typename T>(T) {
    Tensor floats(DType::f32, tensor.shape());
    const auto from = tensor.data<T>();
    std::transform(from.begin(), from.end(), floats.mutable_data<float>().begin(),
                   [](T value) { return static_cast<float>(value); });
    return floats;
  };
  switch (tensor.dtype()) {
    case DType::i8:
      return convert(std::int8_t{});
    case DType::u8:
      return convert(std::uint8_t{});
    case DType::i32:
      return convert(std::int32_t{});
    case DType::i64:
      return convert(std::int64_t{});
    case DType::boolean:
      return convert(bool{});
    default:
      return tensor;
  }
}

Tensor copy_of(const TensorView& view) {
  Tensor copy(view.dtype(), Shape(view.shape().begin(), view.shape().end()), true);
  std::memcpy(copy.mutable_bytes(), view.bytes(), copy.byte_size());
  return copy;
}

/// Runs both graphs and adds up their differences.
class Comparer {
 public:
  Comparer(const Graph& reference, const Graph& quantized, const VerifyOptions& options)
      : reference_(reference),
        options_(options),
        layers_(options.layers ? common_layers(reference, quantized) : std::vector<Layer>{}),
        float_executor_(reference, watched(&Layer::reference, {})),
        quantized_executor_(quantized, watched(&Layer::quantized, options.arithmetic)) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      place_in_reference_[layers_[i].reference] = i;
      place_in_quantized_[layers_[i].quantized] = i;
    }
    layer_sums_.resize(layers_.size());
    output_sums_.resize(reference.outputs().size());
    agreeing_.resize(reference.outputs().size());
    scored_.resize(reference.outputs().size());
    compared_.resize(reference.outputs().size());
  }

  Comparison run(const DataSource& data) {
    const auto indices = spread_indices(data.size(), options_.max_samples);
    SampleRunner runner(data, indices, {options_.threads, options_.skip_bad_files, "verify", options_.progress});
    std::vector<Executor::Session> float_sessions;
    std::vector<Executor::Session> quantized_sessions;
    for (int worker = 0; worker < runner.workers(); ++worker) {
      float_sessions.emplace_back(float_executor_, runner.inner_pool());
      quantized_sessions.emplace_back(quantized_executor_, runner.inner_pool());
    }
    std::vector<SampleResult> slots(runner.slots());
    Comparison comparison;
    comparison.bad_files = runner.run(
        [&](std::span<const Tensor> inputs, int worker, std::size_t position) {
          const auto i = static_cast<std::size_t>(worker);
          slots[runner.slot(position)] =
              compare_sample(inputs, indices[position], float_sessions[i], quantized_sessions[i]);
        },
        [&](std::size_t position) {
          fold(slots[runner.slot(position)], comparison);
          slots[runner.slot(position)] = {};
        });
    finish(comparison);
    return comparison;
  }

 private:
  ExecutorOptions watched(ValueId Layer::*side, const Arithmetic& arithmetic) const {
    ExecutorOptions options;
    options.arithmetic = arithmetic;
    for (const Layer& layer : layers_) options.watched.push_back(layer.*side);
    return options;
  }

  void require_class(std::int64_t label, std::size_t classes, std::size_t index) const {
    if (static_cast<std::size_t>(label) < classes) return;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("sample {} has label {}, and output '{}' tells {} classes apart, from 0: are the labels of "
                            "this model, and do they count from 1?",
                            index, label, reference_.value(reference_.outputs().front()).name, classes));
  }

  std::int64_t label(std::size_t index) const { return options_.labels.empty() ? -1 : options_.labels.at(index); }

  void count_pixels(std::size_t index, const Tensor& original, const Tensor& changed, SampleResult& result) const {
    if (options_.masks.files.empty() || options_.masks.files.at(index).empty()) return;
    const auto& file = options_.masks.files[index];
    const verify::Mask mask = verify::read_mask(file);
    result.masked = true;
    result.float_pixels.add(mask, original, options_.masks, file);
    result.quantized_pixels.add(mask, changed, options_.masks, file);
  }

  SampleResult compare_sample(std::span<const Tensor> inputs, std::size_t index, Executor::Session& float_session,
                              Executor::Session& quantized_session) const {
    SampleResult result;
    const std::int64_t label = this->label(index);
    result.layers.resize(layers_.size());
    std::vector<Tensor> originals(layers_.size());
    const auto floats = float_session.run(inputs, [&](ValueId value, const TensorView& tensor) {
      originals[place_in_reference_.at(value)] = copy_of(tensor);
    });
    const auto quantized = quantized_session.run(inputs, [&](ValueId value, const TensorView& tensor) {
      const std::size_t i = place_in_quantized_.at(value);
      if (comparable(originals[i], tensor)) result.layers[i].add(originals[i], tensor, *layers_[i].factors);
    });
    result.outputs.resize(floats.size());
    result.agrees.resize(floats.size());
    if (!floats.empty()) count_pixels(index, floats.front(), quantized.front(), result);
    for (std::size_t i = 0; i < floats.size(); ++i) {
      const Tensor original = as_float(floats[i]);
      const Tensor changed = as_float(quantized[i]);
      if (!comparable(original, changed)) continue;
      result.compared.push_back(i);
      result.outputs[i].add(original, changed);
      if (!verify::is_scores(floats[i])) continue;
      const auto a = floats[i].data<float>();
      const auto b = quantized[i].data<float>();
      result.agrees[i] = verify::best_class(a) == verify::best_class(b);
      if (i > 0 || label < 0) continue;
      require_class(label, a.size(), index);
      result.float_rank = verify::rank_of(a, label);
      result.quantized_rank = verify::rank_of(b, label);
    }
    return result;
  }

  void fold(const SampleResult& result, Comparison& comparison) {
    ++comparison.samples;
    comparison.masked += result.masked ? 1 : 0;
    float_pixels_.add(result.float_pixels);
    quantized_pixels_.add(result.quantized_pixels);
    for (std::size_t i = 0; i < layer_sums_.size(); ++i) layer_sums_[i].add(result.layers[i]);
    for (const std::size_t i : result.compared) {
      output_sums_[i].add(result.outputs[i]);
      ++compared_[i];
      if (!result.agrees[i]) continue;
      ++scored_[i];
      agreeing_[i] += *result.agrees[i] ? 1 : 0;
    }
    if (!result.float_rank) return;
    ++comparison.labelled;
    count_rank(*result.float_rank, comparison.float_accuracy);
    count_rank(*result.quantized_rank, comparison.quantized_accuracy);
  }

  static void count_rank(std::size_t rank, std::optional<Accuracy>& accuracy) {
    if (!accuracy) accuracy.emplace();
    accuracy->top1 += rank < 1 ? 1.0 : 0.0;
    accuracy->top5 += rank < 5 ? 1.0 : 0.0;
  }

  void finish(Comparison& comparison) const {
    comparison.float_masks = float_pixels_.accuracy();
    comparison.quantized_masks = quantized_pixels_.accuracy();
    for (std::size_t i = 0; i < output_sums_.size(); ++i) {
      OutputComparison output{reference_.value(reference_.outputs()[i]).name, compared_[i], output_sums_[i].distance(),
                              std::nullopt};
      if (scored_[i] == comparison.samples && scored_[i] > 0) {
        output.top1_agreement = static_cast<double>(agreeing_[i]) / static_cast<double>(scored_[i]);
      }
      comparison.outputs.push_back(std::move(output));
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Node& node = reference_.node(reference_.producer(layers_[i].reference));
      comparison.layers.push_back(
          {reference_.value(layers_[i].reference).name, node.name, node.op_type, layer_sums_[i].distance()});
    }
    for (auto* accuracy : {&comparison.float_accuracy, &comparison.quantized_accuracy}) {
      if (!accuracy->has_value()) continue;
      (*accuracy)->top1 /= static_cast<double>(comparison.labelled);
      (*accuracy)->top5 /= static_cast<double>(comparison.labelled);
    }
  }

  const Graph& reference_;
  const VerifyOptions& options_;
  std::vector<Layer> layers_;
  Executor float_executor_;
  Executor quantized_executor_;
  std::map<ValueId, std::size_t> place_in_reference_;
  std::map<ValueId, std::size_t> place_in_quantized_;
  std::vector<DistanceSums> layer_sums_;
  std::vector<DistanceSums> output_sums_;
  std::vector<std::size_t> agreeing_;  // by output: samples with the same best class
  std::vector<std::size_t> scored_;    // by output: samples that have scores
  std::vector<std::size_t> compared_;  // by output: samples for which both gave one shape
  Confusion float_pixels_;
  Confusion quantized_pixels_;
};

/// The values of those names, where these are all of `ids`; else `ids` as they are.
std::vector<ValueId> in_order_of(const Graph& reference, const std::vector<ValueId>& names, const Graph& graph,
                                 const std::vector<ValueId>& ids) {
  std::vector<ValueId> ordered;
  for (const ValueId name : names) {
    const auto found = graph.find_value(reference.value(name).name);
    if (found && std::find(ids.begin(), ids.end(), *found) != ids.end()) ordered.push_back(*found);
  }
  return ordered.size() == ids.size() ? ordered : ids;
}

}  // namespace

Comparison compare(const Graph& float_model, const Graph& quantized, const DataSource& data,
                   const VerifyOptions& options) {
  Graph reference = float_model;
  Graph restored = quantized;
  restore_qdq(reference);
  restore_qdq(restored);
  // Some formats keep no order of their own.
  restored.set_inputs(in_order_of(reference, reference.inputs(), restored, restored.inputs()));
  restored.set_outputs(in_order_of(reference, reference.outputs(), restored, restored.outputs()));
  require_same_names(reference, restored, reference.inputs(), restored.inputs(), "inputs");
  require_same_names(reference, restored, reference.outputs(), restored.outputs(), "outputs");
  for (const std::size_t count : {options.labels.size(), options.masks.files.size()}) {
    if (count == 0 || count == data.size()) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} for {}: one a sample is needed, -1 or no name where it has none",
                            count_of(count, "label"), count_of(data.size(), "sample")));
  }
  return Comparer(reference, restored, options).run(data);
}

}  // namespace octavo
