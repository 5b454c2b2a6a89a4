#include <fmt/format.h>

#include <utility>

#include "octavo/graph.h"
#include "text_lexer.h"
#include "text_tensor.h"

namespace octavo {
namespace {

using graph_text::fail_at;
using graph_text::Lexer;
using graph_text::quoted;
using graph_text::read_tensor;
using graph_text::Token;
using graph_text::TokenKind;

struct Type {
  DType dtype = DType::undefined;
  std::optional<Dims> dims;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Graph parse() {
    header();
    lexer_.expect("{");
    while (!lexer_.accept("}")) statement();
    if (lexer_.peek().kind != TokenKind::end) {
      fail_at(lexer_.peek(), fmt::format("expected nothing after the graph, found {}", quoted(lexer_.peek())));
    }
    finish();
    return std::move(graph_);
  }

 private:
  // --- parts ---------------------------------------------------------------------------------------
  Token name_or_string(std::string_view what) {
    const TokenKind kind = lexer_.peek().kind;
    return lexer_.expect(kind == TokenKind::string ? kind : TokenKind::name, what);
  }
  std::string string() { return lexer_.expect(TokenKind::string, "a string").text; }
  std::int64_t integer() { return graph_text::read_integer(lexer_.expect(TokenKind::number, "an integer")); }

  static std::int64_t dim_size(const Token& token) {
    const std::int64_t size = graph_text::read_integer(token);
    if (size < 0) fail_at(token, "a dimension is negative");
    return size;
  }

  Dim dim() {
    if (lexer_.accept("?")) return {};
    if (lexer_.peek().kind == TokenKind::number) return Dim{dim_size(lexer_.next()), {}};
    Dim symbolic;
    symbolic.symbol = name_or_string("a size, a symbol or ?").text;
    if (lexer_.accept("=")) symbolic.size = dim_size(lexer_.expect(TokenKind::number, "a size"));
    return symbolic;
  }

  Type type() {
    Type read;
    if (!lexer_.accept("?")) {
      const Token token = lexer_.expect(TokenKind::name, "an element type");
      const auto dtype = dtype_named(token.text);
      if (!dtype) fail_at(token, fmt::format("{} is no element type; f32, i8, u8, i64, bool … are", quoted(token)));
      read.dtype = *dtype;
    }
    if (!lexer_.accept("[")) return read;
    read.dims.emplace();
    while (!lexer_.accept("]")) {
      if (!read.dims->empty()) lexer_.expect(",");
      read.dims->push_back(dim());
    }
    return read;
  }

  Opaque opaque() {
    Opaque read;
    lexer_.expect("(");
    read.format = string();
    lexer_.expect(",");
    const Token hex = lexer_.expect(TokenKind::string, "bytes in hexadecimal");
    for (std::size_t i = 0; i + 1 < hex.text.size(); i += 2) {
      read.bytes.push_back(static_cast<char>(hex_value(hex, i) * 16 + hex_value(hex, i + 1)));
    }
    if (hex.text.size() % 2 != 0) fail_at(hex, "bytes need two hexadecimal digits each");
    lexer_.expect(")");
    return read;
  }

  static int hex_value(const Token& token, std::size_t i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const std::size_t value = kDigits.find(token.text[i]);
    if (value == std::string_view::npos) fail_at(token, "bytes are written with the digits 0-9 and a-f");
    return static_cast<int>(value);
  }

  static Shape static_shape_of(const Type& read, const Token& token) {
    Value typed;
    typed.dims = read.dims;
    auto shape = typed.static_shape();
    if (!shape) fail_at(token, "a constant needs a type with all its sizes, such as f32[2,3] or f32[]");
    return *std::move(shape);
  }

  // --- values --------------------------------------------------------------------------------------
  ValueId id_of(const Token& token) {
    if (const auto known = graph_.find_value(token.text)) return *known;
    if (token.text.empty()) fail_at(token, "a value needs a name");
    const ValueId id = graph_.add_value(token.text);
    undefined_.emplace(id, token);
    return id;
  }

  ValueId id_or_none() {
    const Token token = name_or_string("the name of a value");
    return token.is_word("_") ? kNoValue : id_of(token);
  }

  std::vector<ValueId> ids_until(std::string_view closing) {
    std::vector<ValueId> ids;
    while (!lexer_.peek().is(closing)) {
      if (!ids.empty()) lexer_.expect(",");
      ids.push_back(id_or_none());
    }
    lexer_.expect(closing);
    return ids;
  }

  // A name and its type, if there is one; defines the value unless it is a mere use.
  ValueId declaration(bool defines) {
    const ValueId id = id_of(name_or_string("the name of a value"));
    if (defines) undefined_.erase(id);
    if (lexer_.accept(":")) {
      Type read = type();
      graph_.value(id).dtype = read.dtype;
      graph_.value(id).dims = std::move(read.dims);
    }
    if (lexer_.accept_word("doc")) graph_.value(id).doc = string();
    return id;
  }

  void constant_statement() {
    const Token token = lexer_.peek();
    const ValueId id = id_of(name_or_string("the name of a constant"));
    if (graph_.value(id).is_constant() || graph_.producer(id) != kNoNode) {
      fail_at(token, fmt::format("value '{}' is defined already", token.text));
    }
    undefined_.erase(id);
    lexer_.expect(":");
    const Token type_token = lexer_.peek();
    Type read = type();
    lexer_.expect("=");
    Value& constant = graph_.value(id);
    if (lexer_.accept_word("opaque")) {
      constant.opaque_constant = opaque();
    } else {
      constant.constant = read_tensor(lexer_, read.dtype, static_shape_of(read, type_token), budget_);
    }
    constant.dtype = read.dtype;
    constant.dims = std::move(read.dims);
    if (lexer_.accept_word("doc")) constant.doc = string();
  }

  void input_statement() {
    const Token token = lexer_.peek();
    const ValueId id = declaration(true);
    if (!input_tokens_.emplace(id, token).second) {
      fail_at(token, fmt::format("input '{}' is listed twice", token.text));
    }
    inputs_.push_back(id);
  }

  // --- attributes ----------------------------------------------------------------------------------
  static bool is_integer(const Token& token) {
    return token.kind == TokenKind::number &&
           (token.text.starts_with("0x") || token.text.find_first_of(".eEn") == std::string::npos);
  }

  // Numbers are integers where all of them are written so.
  Attribute list() {
    std::vector<std::string> strings;
    std::vector<Token> numbers;
    bool integers = true;
    while (!lexer_.accept("]")) {
      if (!strings.empty() || !numbers.empty()) lexer_.expect(",");
      const Token element = lexer_.next();
      if (element.kind == TokenKind::string) {
        strings.push_back(element.text);
      } else {
        numbers.push_back(element);
        integers = integers && is_integer(element);
      }
      if (!strings.empty() && !numbers.empty()) fail_at(element, "a list holds strings or numbers, not both");
    }
    if (!strings.empty()) return strings;
    if (!integers) {
      std::vector<float> floats;
      for (const Token& token : numbers) floats.push_back(graph_text::read_float(token));
      return floats;
    }
    std::vector<std::int64_t> ints;
    for (const Token& token : numbers) ints.push_back(graph_text::read_integer(token));
    return ints;
  }

  template <typename T>
  Attribute empty_list() {
    lexer_.next();
    lexer_.expect("[");
    lexer_.expect("]");
    return std::vector<T>{};
  }

  Attribute attribute() {
    const Token& token = lexer_.peek();
    if (lexer_.accept("[")) return list();
    if (token.kind == TokenKind::string) return string();
    if (is_integer(token)) return integer();
    if (token.kind == TokenKind::number || token.is_word("nan") || token.is_word("inf")) {
      return graph_text::read_float(lexer_.next());
    }
    if (token.is_word("floats")) return empty_list<float>();
    if (token.is_word("strings")) return empty_list<std::string>();
    if (lexer_.accept_word("opaque")) return opaque();
    const Token type_token = token;
    const Type read = type();
    return read_tensor(lexer_, read.dtype, static_shape_of(read, type_token), budget_);
  }

  void attributes(Node& node) {
    bool first = true;
    while (!lexer_.accept("}")) {
      if (!std::exchange(first, false)) lexer_.expect(",");
      const Token key = name_or_string("the name of an attribute");
      lexer_.expect("=");
      if (!node.attributes.try_emplace(key.text, attribute()).second) {
        fail_at(key, fmt::format("attribute '{}' is given twice", key.text));
      }
    }
  }

  // --- statements ----------------------------------------------------------------------------------
  void node_statement() {
    const Token start = lexer_.peek();
    Node node;
    node.outputs = ids_until("=");
    node.op_type = name_or_string("an operator").text;
    if (lexer_.accept("::")) node.domain = std::exchange(node.op_type, name_or_string("an operator").text);
    if (lexer_.peek().kind == TokenKind::string) node.name = lexer_.next().text;
    lexer_.expect("(");
    node.inputs = ids_until(")");
    if (lexer_.accept("{")) attributes(node);
    if (lexer_.accept_word("captures")) {
      lexer_.expect("(");
      node.captured = ids_until(")");
    }
    if (lexer_.accept_word("doc")) node.doc = string();
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) undefined_.erase(id);
    }
    try {
      graph_.add_node(std::move(node));
    } catch (const Error& error) {
      fail_at(start, error.what());
    }
  }

  void statement() {
    if (lexer_.accept_word("input")) {
      input_statement();
    } else if (lexer_.accept_word("const")) {
      constant_statement();
    } else if (lexer_.accept_word("value")) {
      declaration(true);
    } else if (lexer_.accept_word("output")) {
      outputs_.push_back(declaration(false));
    } else if (lexer_.accept_word("metadata")) {
      std::string key = string();
      lexer_.expect("=");
      graph_.metadata.emplace_back(std::move(key), string());
    } else if (lexer_.accept_word("extra")) {
      std::string key = string();
      lexer_.expect("=");
      if (!lexer_.accept_word("opaque")) fail_at(lexer_.peek(), "expected opaque(…)");
      graph_.extras[std::move(key)] = opaque();
    } else {
      node_statement();
    }
  }

  void opsets() {
    do {
      std::string domain = lexer_.peek().kind == TokenKind::string ? string() : std::string();
      graph_.opsets[std::move(domain)] = integer();
    } while (lexer_.accept(","));
  }

  void header() {
    if (!lexer_.accept_word("graph")) fail_at(lexer_.peek(), "expected 'graph'");
    if (lexer_.peek().kind == TokenKind::string) graph_.name = string();
    while (!lexer_.peek().is("{")) {
      const Token key = lexer_.expect(TokenKind::name, "'{' or opset, ir, producer, domain, model_version, doc");
      if (key.text == "opset") {
        opsets();
      } else if (key.text == "ir") {
        graph_.ir_version = integer();
      } else if (key.text == "producer") {
        graph_.producer_name = string();
        if (lexer_.peek().kind == TokenKind::string) graph_.producer_version = string();
      } else if (key.text == "domain") {
        graph_.domain = string();
      } else if (key.text == "model_version") {
        graph_.model_version = integer();
      } else if (key.text == "doc") {
        graph_.doc = string();
      } else {
        fail_at(key,
                fmt::format("expected '{{' or opset, ir, producer, domain, model_version, doc, found {}", quoted(key)));
      }
    }
  }

  void finish() {
    if (!undefined_.empty()) {
      const Token& token = undefined_.begin()->second;
      fail_at(token, fmt::format("value '{}' is used, but nothing defines it", token.text));
    }
    for (const auto& [id, token] : input_tokens_) {
      if (graph_.producer(id) != kNoNode) fail_at(token, fmt::format("input '{}' is computed by a node", token.text));
    }
    graph_.set_inputs(std::move(inputs_));
    graph_.set_outputs(std::move(outputs_));
  }

  Lexer lexer_;
  Graph graph_;
  std::vector<ValueId> inputs_;
  std::map<ValueId, Token> input_tokens_;
  std::vector<ValueId> outputs_;
  std::map<ValueId, Token> undefined_;  // values named so far without a definition, where first named
  std::int64_t budget_ = graph_text::kMaxElements;
};

}  // namespace

Graph parse_graph(std::string_view text) { return Parser(text).parse(); }

}  // namespace octavo
