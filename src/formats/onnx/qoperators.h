#pragma once

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// A graph with pairs in ONNX Runtime's QOperator form: operators between DequantizeLinear and QuantizeLinear become
/// QLinearConv, QLinearMatMul and those of the domain com.microsoft (QGemm, QLinearAdd …), and what moves data does so
/// on integers. What has no such form stays as it is.
Graph to_qoperators(const Graph& graph);

}  // namespace octavo::formats::onnx_file
