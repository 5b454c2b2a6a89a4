// octavo_node_tests DATA NOT_RUN [PREFIX...]: runs ONNX's backend node tests.
//
// DATA is onnx/backend/test/data/node of the Python package, NOT_RUN the list of tests that are known not to
// pass; only tests of the operators named by PREFIX ("reduce_" …) where there are any. A test concerns the
// executor where it has all of the model's operators. One line a test, and the count last; the exit status is 0
// where all tests pass but those listed, and none of these does.
#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compare.h"
#include "octavo/execute.h"
#include "octavo/formats.h"
#include "tensor_file.h"

namespace octavo::onnx_node {
namespace {

namespace fs = std::filesystem;

/// Opsets before this are not read. The tests of operators that have not changed since earlier ones say so
/// (GlobalAveragePool: 1); they mean the same here.
constexpr std::int64_t kFirstOpset = 7;
constexpr std::int64_t kLastOpset = 21;

onnx::ModelProto read_model(const fs::path& path) {
  onnx::ModelProto model;
  if (!model.ParseFromString(read_bytes(path))) throw Error(ErrorCode::bad_model, "the model cannot be parsed");
  for (auto& opset : *model.mutable_opset_import()) {
    if (opset.domain().empty() && opset.version() < kFirstOpset) opset.set_version(kFirstOpset);
  }
  return model;
}

bool concerns_executor(const onnx::ModelProto& model, const std::set<std::string>& operators) {
  const bool operators_known =
      std::all_of(model.graph().node().begin(), model.graph().node().end(), [&](const onnx::NodeProto& node) {
        return (node.domain().empty() || node.domain() == "ai.onnx") && operators.contains(node.op_type());
      });
  const bool opset_known = std::any_of(model.opset_import().begin(), model.opset_import().end(), [](const auto& set) {
    return set.domain().empty() && set.version() <= kLastOpset;
  });
  return operators_known && opset_known;
}

using ValueInfos = google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>;

/// The tensors "input_0.pb", "input_1.pb" … of a data set, for the model's values.
std::vector<Tensor> read_tensors(const fs::path& folder, const std::string& kind, const ValueInfos& values) {
  std::vector<Tensor> tensors;
  for (const onnx::ValueInfoProto& value : values) {
    if (!value.type().has_tensor_type())
      throw Error(ErrorCode::unsupported, fmt::format("'{}' is no tensor", value.name()));
    const fs::path path = folder / fmt::format("{}_{}.pb", kind, tensors.size());
    tensors.push_back(read_tensor_file(path, value.type().tensor_type().elem_type()));
  }
  return tensors;
}

/// What is wrong with the results on one of the test's data sets; empty where they are right.
std::string run_data_set(const Executor& executor, const onnx::GraphProto& graph, const fs::path& folder) {
  const std::vector<Tensor> inputs = read_tensors(folder, "input", graph.input());
  const std::vector<Tensor> expected = read_tensors(folder, "output", graph.output());
  const std::vector<Tensor> outputs = Executor::Session(executor).run(inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string problem = difference(outputs[i], expected[i]);
    if (!problem.empty()) return fmt::format("{}, output {}: {}", folder.filename().string(), i, problem);
  }
  return "";
}

std::string run_test(const onnx::ModelProto& model, const fs::path& folder) {
  try {
    const std::string bytes = model.SerializeAsString();
    const Executor executor(load_model(std::as_bytes(std::span(bytes)), "onnx"));
    for (int set = 0;; ++set) {
      const fs::path data = folder / fmt::format("test_data_set_{}", set);
      if (!fs::exists(data)) return set == 0 ? "the test has no data" : "";
      const std::string problem = run_data_set(executor, model.graph(), data);
      if (!problem.empty()) return problem;
    }
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// Lines "name reason"; those that begin with # are comments.
std::map<std::string, std::string> read_list(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::io, fmt::format("'{}' cannot be read", path.string()));
  std::map<std::string, std::string> list;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t blank = line.find(' ');
    if (blank == std::string::npos)
      throw Error(ErrorCode::bad_data, fmt::format("'{}': '{}' has no reason", path.string(), line));
    list[line.substr(0, blank)] = line.substr(blank + 1);
  }
  return list;
}

bool chosen(const std::string& name, std::span<char* const> prefixes) {
  return prefixes.empty() || std::any_of(prefixes.begin(), prefixes.end(), [&](const char* prefix) {
           return name.starts_with(std::string("test_") + prefix);
         });
}

/// Prints a line for each test and counts.
class Report {
 public:
  explicit Report(std::map<std::string, std::string> listed) : listed_(std::move(listed)) {}

  /// `problem` is empty where the test passes.
  void add(const std::string& name, const std::string& problem) {
    const auto known = listed_.find(name);
    if (known == listed_.end() && problem.empty()) {
      ++passed_;
      fmt::print("PASS {}\n", name);
    } else if (known != listed_.end() && !problem.empty()) {
      ++skipped_;
      fmt::print("SKIP {} ({})\n", name, known->second);
    } else {
      ++failed_;
      fmt::print("FAIL {}: {}\n", name, problem.empty() ? "it passes, but is listed as not run" : problem);
    }
    if (known != listed_.end()) listed_.erase(known);
  }

  /// The exit status; `complete` where all tests were run, so that each listed one must have come up.
  int finish(bool complete) {
    for (const auto& [name, reason] : listed_) {
      if (!complete) break;
      ++failed_;
      fmt::print("FAIL {}: it is listed as not run, but there is no such test\n", name);
    }
    fmt::print("{} of {} node tests pass, {} fail, {} are listed as not run\n", passed_, passed_ + failed_ + skipped_,
               failed_, skipped_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  std::map<std::string, std::string> listed_;
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

int run(const fs::path& data, const fs::path& not_run, std::span<char* const> prefixes) {
  const std::vector<std::string> names = executable_operators();
  const std::set<std::string> operators(names.begin(), names.end());
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(data)) folders.insert(entry.path());
  Report report(read_list(not_run));
  for (const fs::path& folder : folders) {
    const std::string name = folder.filename().string();
    if (!chosen(name, prefixes) || !fs::exists(folder / "model.onnx")) continue;
    const onnx::ModelProto model = read_model(folder / "model.onnx");
    if (concerns_executor(model, operators)) report.add(name, run_test(model, folder));
  }
  return report.finish(prefixes.empty());
}

}  // namespace
}  // namespace octavo::onnx_node

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: octavo_node_tests DATA NOT_RUN [PREFIX...]\n");
    return 2;
  }
  try {
    return octavo::onnx_node::run(argv[1], argv[2], std::span(argv + 3, static_cast<std::size_t>(argc - 3)));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
