#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/graph.h"

namespace octavo {

/// Reads a model file; the format is known from its ending, or else from its content. A second file of weights is
/// looked for beside it, under the same name with the format's ending. External data is mapped, not copied, where it is
/// aligned for its type, and must lie in the model's folder. ONNX: operator sets 7 to 21; constants that are inputs as
/// well become constants alone. Throws Error(io), Error(bad_model) or Error(unsupported) naming the file and the place
/// in it.
Graph load_model(const std::filesystem::path& path);
/// The same where the file of weights has a name of its own.
Graph load_model(const std::filesystem::path& path, const std::filesystem::path& weights);

/// Reads a model from memory. `base` is the folder that external data is relative to; where it is empty,
/// a model with external data is refused.
Graph load_model(std::span<const std::byte> bytes, std::string_view format, const std::filesystem::path& base = {});

/// The files that load_model(path) reads, external data apart.
std::vector<std::filesystem::path> model_files(const std::filesystem::path& path);

/// Names of the formats that load_model reads: "onnx" …
std::vector<std::string> format_names();

struct SaveOptions {
  /// ONNX: constants go to one file beside the model where all together exceed this many bytes. A single
  /// protobuf message can hold 2 GiB.
  std::uint64_t external_data_above = std::uint64_t{1900} << 20;
  /// Version of the runtime for files that name it: digits such as "8601" in TensorRT's calibration cache. Empty: any.
  std::string runtime_version = {};
};

/// A node that a file format has no form for.
struct UnsupportedNode {
  NodeId node = kNoNode;
  std::string reason;
};

/// One way to write a graph: a float graph gives a float model, one with QuantizeLinear and DequantizeLinear an integer
/// one. All that is written comes from the graph.
struct Exporter {
  std::string_view name;         ///< "ncnn"
  std::string_view description;  ///< for help
  /// What `octavo quantize --to NAME` plans for where no backend is named.
  std::string_view backend;
  std::string_view ending;  ///< of the file that is named, lower case, with its dot; others lie beside it
  /// Whether it takes graphs that are planned for `backend` alone.
  bool only_for_backend = false;
  /// Settings that what it writes depends on; a recipe that gives another is refused.
  bool reads_opset = false;           ///< of models that are ONNX
  bool reads_weight_storage = false;  ///< of integers behind DequantizeLinear or floats before QuantizeLinear
  bool reads_runtime_version = false;
  /// Whether its files hold integer weights of operators that compute in float; where not, it writes the floats that
  /// these weights stand for.
  bool integers_for_float_operators = false;
  /// All nodes that cannot be written, for a graph with its shapes inferred; null where any can.
  std::vector<UnsupportedNode> (*unsupported)(const Graph& graph) = nullptr;
  /// Writes all files or none, and returns them, `output` first. Throws Error(unsupported) naming every node that
  /// cannot be written.
  std::vector<std::filesystem::path> (*write)(const Graph& graph, const std::filesystem::path& output,
                                              const SaveOptions& options) = nullptr;
  /// The same as bytes; null where there are several files.
  std::vector<std::byte> (*bytes)(const Graph& graph) = nullptr;
};

/// All exporters, in the order help shows them.
std::span<const Exporter* const> exporters();
/// Throws Error(invalid_argument) naming the known ones.
const Exporter& exporter_named(std::string_view name);
/// The first that writes files with the ending of `path`; null where none does.
const Exporter* exporter_for(const std::filesystem::path& path);

/// Throws Error(invalid_argument) where the name has another ending than what the exporter writes.
void require_ending(const Exporter& exporter, const std::filesystem::path& output);
/// Throws Error(unsupported) listing the nodes that the exporter has no form for.
void require_supported(const Exporter& exporter, const Graph& graph);

/// Writes, and reads again what can be read, so that no file that cannot be loaded is taken for a result. Returns the
/// files written, the one named first. Throws as require_ending does, and as writing and reading do.
std::vector<std::filesystem::path> export_model(const Graph& graph, const Exporter& exporter,
                                                const std::filesystem::path& output, const SaveOptions& options = {});

/// Writes in the format of the path's ending, whole or not at all: to a temporary name in the same folder, synced, then
/// renamed; the same for further files (external data: "<file name>.data").
void save_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options = {});
/// The bytes save_model would write. Throws Error(resource_limit) where they need external data and
/// Error(unsupported) for a format of several files.
std::vector<std::byte> model_bytes(const Graph& graph, std::string_view format);

/// A file that is to be written.
struct FileContent {
  std::filesystem::path path;
  std::vector<std::byte> bytes;
};
/// Writes any file whole or not at all, as models are written. Throws Error(io) naming it.
void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes);
/// Writes all files or none: none gets its name before all are on the disk.
void write_whole(std::span<const FileContent> files);

}  // namespace octavo
