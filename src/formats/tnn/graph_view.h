#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "octavo/core/qparams.h"
#include "octavo/formats.h"
#include "octavo/graph.h"

namespace octavo::formats::tnn {

/// A graph as TNN sees it: a pair is no layer but a scale of the blob before it, and what computes constants is none
/// either. Sorts its copy of the graph, infers shapes for one picture where their number is open, and makes integers of
/// float constants behind pairs.
class GraphView {
 public:
  explicit GraphView(const Graph& graph);

  const Graph& graph() const { return graph_; }
  /// Pairs that TNN has no form for.
  const std::vector<UnsupportedNode>& refused() const { return refused_; }

  /// The value that is rounded where `value` comes out of a pair, else itself.
  ValueId source(ValueId value) const;
  bool restored(ValueId value) const { return source(value) != value; }
  /// The pair's behind a source; null where there is none.
  const QParams* scale(ValueId source) const;
  /// Whether a pair reads the value and nobody else does: an integer layer can compute it.
  bool only_quantized(ValueId value) const;
  /// The reader, where there is one and the value is no output.
  NodeId only_reader(ValueId value) const;

  /// Whether the node computes constants alone, or is of a pair.
  bool hidden(NodeId node) const { return hidden_.contains(node); }
  /// Floats of a constant, DequantizeLinear and what else is computed of constants included; nothing for any other.
  std::optional<Tensor> floats(ValueId value) const;
  /// Integers of a constant or an attribute of nodes of older opsets.
  std::optional<std::vector<std::int64_t>> integers(const Node& node, std::size_t input,
                                                    std::string_view attribute) const;

  /// Name of the blob of a source, free of what separates names in TNN's text.
  const std::string& blob(ValueId source) const { return blobs_.at(source); }

 private:
  void close_batch();
  void find_pairs();
  void find_constants();
  void name_blobs();
  void add_pair(NodeId quantize);
  bool constant_like(ValueId value) const;

  Graph graph_;
  std::vector<UnsupportedNode> refused_;
  std::map<ValueId, ValueId> sources_;
  std::map<ValueId, QParams> scales_;
  std::set<NodeId> hidden_;
  std::set<ValueId> computed_constants_;
  std::map<ValueId, std::string> blobs_;
};

/// A name without blanks, commas, colons and quotation marks.
std::string plain_name(std::string_view name);

}  // namespace octavo::formats::tnn
