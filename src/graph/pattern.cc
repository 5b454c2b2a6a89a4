#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "octavo/graph.h"
#include "text_lexer.h"

namespace octavo {
namespace {

using graph_text::fail_at;
using graph_text::Lexer;
using graph_text::Token;
using graph_text::TokenKind;

constexpr std::string_view kChain = "_";
constexpr std::array<std::string_view, 5> kCommutative = {"Add", "Mul", "Max", "Min", "Equal"};

std::string read_op_type(Lexer& lexer) {
  std::string op_type = lexer.expect(TokenKind::name, "an operator").text;
  if (lexer.accept("::")) op_type += "::" + lexer.expect(TokenKind::name, "an operator").text;
  return op_type;
}

bool is_one_of(const Node& node, const std::vector<std::string>& op_types) {
  const std::string op_type = node.domain.empty() ? node.op_type : node.domain + "::" + node.op_type;
  return std::find(op_types.begin(), op_types.end(), op_type) != op_types.end();
}

bool is_commutative(const Node& node) {
  return node.domain.empty() && node.inputs.size() == 2 &&
         std::find(kCommutative.begin(), kCommutative.end(), node.op_type) != kCommutative.end();
}

// Binds a step's names to the inputs of `node`, in the order given; false where they do not fit.
bool bind(Pattern::Match& match, const std::vector<std::string>& arguments, std::size_t required,
          const std::vector<ValueId>& inputs) {
  if (arguments.empty()) return true;
  if (inputs.size() > arguments.size()) return false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const ValueId input = i < inputs.size() ? inputs[i] : kNoValue;
    if (input == kNoValue) {
      if (i < required) return false;
      continue;
    }
    if (arguments[i] == kChain) continue;
    if (const auto [it, added] = match.values.emplace(arguments[i], input); !added && it->second != input) return false;
  }
  return true;
}

}  // namespace

Pattern::Pattern(std::string_view text) {
  try {
    Lexer lexer(text);
    do {
      Step step;
      const Token start = lexer.peek();
      do step.op_types.push_back(read_op_type(lexer));
      while (lexer.accept("|"));
      if (lexer.accept("(")) {
        while (!lexer.accept(")")) {
          if (!step.arguments.empty()) lexer.expect(",");
          const Token argument = lexer.expect(TokenKind::name, "the name of an input");
          step.arguments.push_back(argument.text);
          const bool optional = lexer.accept("?");
          if (!optional && step.required + 1 != step.arguments.size()) {
            fail_at(argument, "only inputs at the end can be optional");
          }
          step.required += optional ? 0 : 1;
        }
        if (!steps_.empty() && std::count(step.arguments.begin(), step.arguments.end(), kChain) != 1) {
          fail_at(start, "the inputs of a step after the first hold _ once, for the step before");
        }
      }
      steps_.push_back(std::move(step));
    } while (lexer.accept("->"));
    lexer.expect(TokenKind::end, "-> or the end of the pattern");
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_argument, fmt::format("pattern '{}': {}", text, error.what()));
  }
}

std::optional<Pattern::Match> Pattern::match(const Graph& graph, NodeId last) const {
  return match_upwards(graph, last, steps_.size() - 1, Match{});
}

std::optional<Pattern::Match> Pattern::match_upwards(const Graph& graph, NodeId id, std::size_t index,
                                                     const Match& below) const {
  const Step& step = steps_[index];
  const Node& node = graph.node(id);
  if (!is_one_of(node, step.op_types)) return std::nullopt;
  const auto chain = std::find(step.arguments.begin(), step.arguments.end(), kChain);
  const auto position = chain == step.arguments.end() ? 0 : static_cast<std::size_t>(chain - step.arguments.begin());

  std::vector<ValueId> inputs = node.inputs;
  for (int order = 0; order < (is_commutative(node) ? 2 : 1); ++order) {
    if (order == 1) std::swap(inputs[0], inputs[1]);
    Match here = below;
    here.nodes.insert(here.nodes.begin(), id);
    if (!bind(here, step.arguments, step.required, inputs)) continue;
    if (index == 0) return here;
    const ValueId between = position < inputs.size() ? inputs[position] : kNoValue;
    if (between == kNoValue || graph.use_count(between) != 1 || graph.is_output(between)) continue;
    const NodeId above = graph.producer(between);
    if (above == kNoNode || graph.node(above).output(0) != between) continue;
    if (auto found = match_upwards(graph, above, index - 1, here)) return found;
  }
  return std::nullopt;
}

}  // namespace octavo
