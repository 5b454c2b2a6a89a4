#include <algorithm>
#include <map>

#include "onnx_support.h"
#include "support/shared_models.h"

// Real models, compared message by message with what is written again.
namespace octavo::formats_test {
namespace {

// Fields to raw_data, written anew here: the codec under test must not vouch for itself.
void to_raw(onnx::TensorProto& tensor) {
  const auto move = [&](const auto& field) {
    if (field.size() > 0)
      tensor.set_raw_data(field.data(), static_cast<std::size_t>(field.size()) * sizeof(field.Get(0)));
  };
  if (tensor.data_type() == onnx::TensorProto::FLOAT) move(tensor.float_data());
  if (tensor.data_type() == onnx::TensorProto::INT64) move(tensor.int64_data());
  if (tensor.data_type() == onnx::TensorProto::INT32) move(tensor.int32_data());
  if (tensor.data_type() == onnx::TensorProto::DOUBLE) move(tensor.double_data());
  tensor.clear_float_data();
  tensor.clear_int64_data();
  tensor.clear_int32_data();
  tensor.clear_double_data();
  tensor.clear_doc_string();
  if (!tensor.has_raw_data()) tensor.set_raw_data("");
}

template <typename Messages, typename Name>
void sort_by(Messages& messages, const Name& name) {
  std::sort(messages.pointer_begin(), messages.pointer_end(),
            [&](const auto* a, const auto* b) { return name(*a) < name(*b); });
}

// Two models mean the same where their normal forms are the same bytes.
std::string normal_form(onnx::ModelProto model) {
  model.clear_ir_version();
  auto& graph = *model.mutable_graph();
  std::map<std::string, bool> constants;
  for (auto& tensor : *graph.mutable_initializer()) {
    to_raw(tensor);
    constants[tensor.name()] = true;
  }
  const auto by_name = [](const auto& message) { return message.name(); };
  sort_by(*graph.mutable_initializer(), by_name);
  std::map<std::string, bool> defined = constants;
  for (auto& node : *graph.mutable_node()) {
    for (const auto& output : node.output()) defined[output] = true;
    if (node.doc_string().empty()) node.clear_doc_string();
    if (node.name().empty()) node.clear_name();
    if (node.domain().empty() || node.domain() == "ai.onnx") node.clear_domain();
    sort_by(*node.mutable_attribute(), by_name);
    for (auto& attribute : *node.mutable_attribute()) {
      attribute.clear_doc_string();
      if (attribute.has_t()) {
        to_raw(*attribute.mutable_t());
        attribute.mutable_t()->clear_name();
      }
    }
  }
  for (int i = graph.input_size() - 1; i >= 0; --i) {
    if (constants.contains(graph.input(i).name())) graph.mutable_input()->DeleteSubrange(i, 1);
  }
  for (int i = graph.value_info_size() - 1; i >= 0; --i) {
    const std::string& name = graph.value_info(i).name();
    if (constants.contains(name) || !defined.contains(name)) graph.mutable_value_info()->DeleteSubrange(i, 1);
  }
  sort_by(*graph.mutable_value_info(), by_name);
  for (auto* infos : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
    for (auto& info : *infos) {
      if (info.doc_string().empty()) info.clear_doc_string();
    }
  }
  for (auto& opset : *model.mutable_opset_import()) {
    opset.set_domain(opset.domain() == "ai.onnx" ? "" : opset.domain());
  }
  sort_by(*model.mutable_opset_import(), [](const auto& opset) { return opset.domain(); });
  // Touching them makes them present on both sides, be they empty or not.
  model.mutable_producer_name();
  model.mutable_producer_version();
  model.mutable_domain();
  model.mutable_doc_string();
  if (model.model_version() == 0) model.clear_model_version();
  return model.SerializeAsString();
}

TEST_CASE("real models keep every node, attribute and constant") {
  for (const auto& path : test::shared_models()) {
    CAPTURE(path);
    onnx::ModelProto original;
    REQUIRE(original.ParseFromString(read_file(path)));
    const Graph graph = load_model(path);
    graph.check();
    const onnx::ModelProto written = saved(graph);
    const std::string before = normal_form(original);
    const std::string after = normal_form(written);
    CHECK((before == after));  // without the parentheses a failure prints megabytes
    Graph raised = graph;
    raised.ir_version = written.ir_version();
    CHECK(to_text(load(written), 16) == to_text(raised, 16));  // their elements are compared above
    const double size = static_cast<double>(std::filesystem::file_size(path));
    const double written_size = static_cast<double>(model_bytes(graph, "onnx").size());
    CHECK(written_size < 1.2 * size);
    CHECK(written_size > 0.5 * size);
  }
}

TEST_CASE("the fuzzer starts from sound models") {
  const std::filesystem::path folder = std::filesystem::path(OCTAVO_SOURCE_DIR) / "tests" / "fuzz" / "corpus" / "onnx";
  for (const char* name : {"attributes", "initializers", "ir3", "kept", "subgraphs"}) {
    CAPTURE(name);
    const Graph graph = load_model(folder / name);
    graph.check();
    CHECK_FALSE(graph.nodes().empty());
  }
}

}  // namespace
}  // namespace octavo::formats_test
