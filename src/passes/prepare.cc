#include <fmt/format.h>

#include <array>

#include "octavo/passes.h"
#include "prepare_passes.h"

namespace octavo {

std::span<const Pass> prepare_passes() {
  static constexpr std::array kTable{
      Pass{"eliminate_identity", "removes operators that hand on their input", &passes::eliminate_identity},
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
  prepare(graph);
  const std::int64_t before = graph.opset();
  if (before >= backend.min_opset) return {};
  upgrade_opset(graph, backend.min_opset);
  prepare(graph);
  return {fmt::format("opset raised from {} to {}, which QuantizeLinear needs", before, backend.min_opset)};
}

}  // namespace octavo
