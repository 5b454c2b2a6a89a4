#include <fmt/format.h>

#include <array>
#include <functional>
#include <set>
#include <string>

#include "octavo/passes.h"
#include "prepare_passes.h"

namespace octavo {
namespace {

/// A runtime that takes one sample at a time: an open number of samples is one, with all sizes that have its symbol.
void close_batch(Graph& graph) {
  std::set<std::string, std::less<>> symbols;
  for (const ValueId id : graph.inputs()) {
    auto& dims = graph.value(id).dims;
    if (!dims || dims->empty() || dims->front().known()) continue;
    if (!dims->front().symbol.empty()) symbols.insert(dims->front().symbol);
    dims->front() = Dim{1, {}};
  }
  for (const ValueId id : graph.values()) {
    auto& dims = graph.value(id).dims;
    if (!dims) continue;
    for (Dim& dim : *dims) {
      if (!dim.known() && symbols.contains(dim.symbol)) dim = Dim{1, {}};
    }
  }
}

}  // namespace

std::span<const Pass> prepare_passes() {
  static constexpr std::array kTable{
      Pass{"eliminate_identity", "removes operators that hand on their input", &passes::eliminate_identity},
      Pass{"fold_shapes", "takes sizes that are known for constants", &passes::fold_shapes},
      Pass{"fold_reshapes", "names the sizes of reshapes where one alone is open", &passes::fold_reshapes},
      Pass{"fold_constants", "computes what depends on constants alone", &passes::fold_constants},
      Pass{"fuse_matmul_add", "makes Gemm of a matrix product and a constant sum", &passes::fuse_matmul_add},
      Pass{"normalize_gemm", "moves alpha, beta and odd bias shapes of Gemm into its constants",
           &passes::normalize_gemm},
      Pass{"fold_affine", "folds BatchNormalization and sums and products with constants into the weights before",
           &passes::fold_affine},
  };
  return kTable;
}

void prepare(Graph& graph) {
  graph.sort();
  infer_shapes(graph);
  for (int changes = 1; changes > 0;) {
    changes = 0;
    for (const Pass& pass : prepare_passes()) changes += pass.run(graph);
    graph.remove_dead();
    infer_shapes(graph);
  }
}

std::vector<std::string> prepare_for(Graph& graph, const BackendSpec& backend) {
  if (backend.one_sample) close_batch(graph);
  prepare(graph);
  const std::int64_t before = graph.opset();
  if (before >= backend.min_opset) return {};
  upgrade_opset(graph, backend.min_opset);
  prepare(graph);
  return {fmt::format("opset raised from {} to {}, which QuantizeLinear needs", before, backend.min_opset)};
}

}  // namespace octavo
