#pragma once

#include <google/protobuf/text_format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "octavo/formats.h"

namespace octavo::formats_test {

/// A model from protobuf's text form.
inline onnx::ModelProto model_of(const std::string& text) {
  onnx::ModelProto model;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &model));
  return model;
}

/// The text of a model of IR version 8 and opset 13 around the text of a graph.
inline std::string with_header(const std::string& graph) {
  return "ir_version: 8 opset_import { domain: '' version: 13 } graph { name: 'g' " + graph + " }";
}

inline Graph load(const onnx::ModelProto& model, const std::filesystem::path& folder = {}) {
  const std::string bytes = model.SerializeAsString();
  Graph graph = load_model(std::as_bytes(std::span(bytes)), "onnx", folder);
  graph.check();
  return graph;
}

inline onnx::ModelProto saved(const Graph& graph) {
  const std::vector<std::byte> bytes = model_bytes(graph, "onnx");
  onnx::ModelProto model;
  REQUIRE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return model;
}

inline const Value& value_named(const Graph& graph, std::string_view name) {
  const auto id = graph.find_value(name);
  REQUIRE(id.has_value());
  return graph.value(*id);
}

/// A folder of its own, gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "octavo-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The error that `f` throws: its code is checked, its message given back.
template <typename F>
std::string error_of(ErrorCode code, const F& f) {
  try {
    f();
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(error.code() == code);
    return error.what();
  }
  FAIL("no error");
  return {};
}

}  // namespace octavo::formats_test
