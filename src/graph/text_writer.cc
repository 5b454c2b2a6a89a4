#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "octavo/graph.h"
#include "text_lexer.h"
#include "text_tensor.h"

namespace octavo {
namespace {

// Words that mean something where a statement or a value begins; as names they need quotes.
constexpr std::array<std::string_view, 9> kWords = {"input", "const",    "value", "output", "metadata",
                                                    "extra", "captures", "doc",   "_"};

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string name_text(std::string_view name) {
  const bool plain = !name.empty() && graph_text::is_name_start(name[0]) &&
                     std::all_of(name.begin(), name.end(), graph_text::is_name_part) &&
                     std::find(kWords.begin(), kWords.end(), name) == kWords.end();
  return plain ? std::string(name) : quote(name);
}

std::string dim_text(const Dim& dim) {
  if (dim.symbol.empty()) return dim.known() ? fmt::format("{}", dim.size) : "?";
  return dim.known() ? fmt::format("{}={}", name_text(dim.symbol), dim.size) : name_text(dim.symbol);
}

std::string type_text(DType dtype, const std::optional<Dims>& dims) {
  std::string text = dtype == DType::undefined ? "?" : std::string(name_of(dtype));
  if (!dims) return text;
  text += "[";
  for (std::size_t i = 0; i < dims->size(); ++i) text += fmt::format("{}{}", i > 0 ? "," : "", dim_text((*dims)[i]));
  return text + "]";
}

std::string opaque_text(const Opaque& opaque) {
  std::string hex;
  for (const char byte : opaque.bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return fmt::format("opaque({}, \"{}\")", quote(opaque.format), hex);
}

class Writer {
 public:
  Writer(const Graph& graph, std::size_t max_constant) : graph_(graph), max_constant_(max_constant) {}

  std::string write() {
    header();
    for (const auto& [key, value] : graph_.metadata) line("metadata {} = {}", quote(key), quote(value));
    for (const auto& [key, value] : graph_.extras) line("extra {} = {}", quote(key), opaque_text(value));
    for (const ValueId id : graph_.inputs()) line("input {}", declaration(id));
    values();
    for (const NodeId id : graph_.nodes()) line("{}", node_text(graph_.node(id)));
    for (const ValueId id : graph_.outputs()) line("output {}", name_text(graph_.value(id).name));
    return text_ + "}\n";
  }

 private:
  template <typename... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text_ += fmt::format("  {}\n", fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void header() {
    text_ = "graph";
    if (!graph_.name.empty()) text_ += fmt::format(" {}", quote(graph_.name));
    bool first = true;
    for (const auto& [domain, version] : graph_.opsets) {
      text_ += first ? " opset " : ", ";
      first = false;
      text_ += domain.empty() ? fmt::format("{}", version) : fmt::format("{} {}", quote(domain), version);
    }
    if (graph_.ir_version != 0) text_ += fmt::format(" ir {}", graph_.ir_version);
    if (!graph_.producer_name.empty() || !graph_.producer_version.empty()) {
      text_ += fmt::format(" producer {} {}", quote(graph_.producer_name), quote(graph_.producer_version));
    }
    if (!graph_.domain.empty()) text_ += fmt::format(" domain {}", quote(graph_.domain));
    if (graph_.model_version != 0) text_ += fmt::format(" model_version {}", graph_.model_version);
    if (!graph_.doc.empty()) text_ += fmt::format(" doc {}", quote(graph_.doc));
    text_ += " {\n";
  }

  std::string declaration(ValueId id) const {
    const Value& value = graph_.value(id);
    std::string text = name_text(value.name);
    if (value.dtype != DType::undefined || value.dims) text += ": " + type_text(value.dtype, value.dims);
    if (!value.doc.empty()) text += fmt::format(" doc {}", quote(value.doc));
    return text;
  }

  std::string tensor_text(const Tensor& tensor) const {
    if (static_cast<std::size_t>(tensor.size()) > max_constant_) return "...";
    std::string text;
    graph_text::write_elements(text, tensor);
    return text;
  }

  void values() {
    for (const ValueId id : graph_.values()) {
      const Value& value = graph_.value(id);
      if (value.is_constant()) {
        std::string text = fmt::format("{}: {} = ", name_text(value.name), type_text(value.dtype, value.dims));
        text += value.constant ? tensor_text(*value.constant) : opaque_text(*value.opaque_constant);
        if (!value.doc.empty()) text += fmt::format(" doc {}", quote(value.doc));
        line("const {}", text);
      } else if (!graph_.is_input(id)) {
        const bool says_something = value.dtype != DType::undefined || value.dims || !value.doc.empty();
        if (says_something || graph_.producer(id) == kNoNode) line("value {}", declaration(id));
      }
    }
  }

  std::string ids_text(const std::vector<ValueId>& ids) const {
    std::string text;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (i > 0) text += ", ";
      text += ids[i] == kNoValue ? "_" : name_text(graph_.value(ids[i]).name);
    }
    return text;
  }

  template <typename T, typename F>
  static std::string list_text(std::string_view empty, const std::vector<T>& elements, const F& element_text) {
    if (elements.empty()) return std::string(empty);
    std::string text = "[";
    for (std::size_t i = 0; i < elements.size(); ++i)
      text += fmt::format("{}{}", i > 0 ? ", " : "", element_text(elements[i]));
    return text + "]";
  }

  struct AttributeText {
    const Writer& writer;
    std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
    std::string operator()(float value) const { return graph_text::number_text(value); }
    std::string operator()(const std::string& value) const { return quote(value); }
    std::string operator()(const std::vector<std::int64_t>& value) const { return list_text("[]", value, *this); }
    std::string operator()(const std::vector<float>& value) const { return list_text("floats[]", value, *this); }
    std::string operator()(const std::vector<std::string>& value) const { return list_text("strings[]", value, *this); }
    std::string operator()(const Opaque& value) const { return opaque_text(value); }
    std::string operator()(const Tensor& value) const {
      Dims dims;
      for (const std::int64_t size : value.shape()) dims.push_back(Dim{size, {}});
      return type_text(value.dtype(), dims) + " " + writer.tensor_text(value);
    }
  };

  std::string node_text(const Node& node) const {
    std::string text = ids_text(node.outputs) + (node.outputs.empty() ? "= " : " = ");
    if (!node.domain.empty()) text += name_text(node.domain) + "::";
    text += name_text(node.op_type);
    if (!node.name.empty()) text += fmt::format(" {} ", quote(node.name));
    text += fmt::format("({})", ids_text(node.inputs));
    std::string separator = " {";
    for (const auto& [key, value] : node.attributes) {
      text += separator + name_text(key) + "=" + std::visit(AttributeText{*this}, value);
      separator = ", ";
    }
    if (!node.attributes.empty()) text += "}";
    if (!node.captured.empty()) text += fmt::format(" captures({})", ids_text(node.captured));
    if (!node.doc.empty()) text += fmt::format(" doc {}", quote(node.doc));
    return text;
  }

  const Graph& graph_;
  std::size_t max_constant_;
  std::string text_;
};

}  // namespace

std::string to_text(const Graph& graph, std::size_t max_constant) { return Writer(graph, max_constant).write(); }

}  // namespace octavo
