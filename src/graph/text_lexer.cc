#include "text_lexer.h"

#include <fmt/format.h>

#include <utility>

#include "octavo/error.h"

namespace octavo::graph_text {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool belongs_to_name(char, char c) { return is_name_part(c); }

// A sign belongs to a number at its start and after an exponent's letter.
bool belongs_to_number(char before, char c) {
  if (c == '-' || c == '+') return before == '\0' || before == 'e' || before == 'E';
  return is_digit(c) || is_letter(c) || c == '.';
}

}  // namespace

bool is_name_start(char c) { return is_letter(c); }
bool is_name_part(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '/'; }

void fail_at(const Token& token, std::string_view message) {
  throw Error(ErrorCode::bad_model, fmt::format("graph text {}:{}: {}", token.line, token.column, message));
}

std::string quoted(const Token& token) {
  return token.kind == TokenKind::end ? "the end of the text" : fmt::format("'{}'", token.text);
}

Token Lexer::next() {
  Token taken = std::move(token_);
  advance();
  return taken;
}

bool Lexer::accept(std::string_view symbol) {
  if (!token_.is(symbol)) return false;
  advance();
  return true;
}

bool Lexer::accept_word(std::string_view word) {
  if (!token_.is_word(word)) return false;
  advance();
  return true;
}

Token Lexer::expect(std::string_view symbol) {
  if (!token_.is(symbol)) fail_at(token_, fmt::format("expected '{}', found {}", symbol, quoted(token_)));
  return next();
}

Token Lexer::expect(TokenKind kind, std::string_view what) {
  if (token_.kind != kind) fail_at(token_, fmt::format("expected {}, found {}", what, quoted(token_)));
  return next();
}

void Lexer::skip(std::size_t count) {
  for (; count > 0 && position_ < text_.size(); --count, ++position_) {
    const bool newline = text_[position_] == '\n';
    line_ += newline ? 1 : 0;
    column_ = newline ? 1 : column_ + 1;
  }
}

void Lexer::skip_space() {
  for (;;) {
    const char c = at(0);
    if (c == '#') {
      while (position_ < text_.size() && at(0) != '\n') skip(1);
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      skip(1);
    } else {
      return;
    }
  }
}

char Lexer::read_escape() {
  const char c = at(1);
  skip(2);
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '"':
    case '\\':
      return c;
    case 'x':
      break;
    default:
      fail_at(token_, "a string holds an escape other than \\n \\t \\r \\\" \\\\ \\xHH");
  }
  const int high = hex_digit(at(0));
  const int low = hex_digit(at(1));
  if (high < 0 || low < 0) fail_at(token_, "\\x in a string needs two hexadecimal digits");
  skip(2);
  return static_cast<char>(high * 16 + low);
}

void Lexer::read_string() {
  token_.kind = TokenKind::string;
  skip(1);
  while (at(0) != '"') {
    if (position_ >= text_.size() || at(0) == '\n') fail_at(token_, "a string does not end on its line");
    if (at(0) == '\\') {
      token_.text += read_escape();
    } else {
      token_.text += at(0);
      skip(1);
    }
  }
  skip(1);
}

void Lexer::read_while(TokenKind kind, bool (*belongs)(char before, char c)) {
  token_.kind = kind;
  for (char before = '\0'; position_ < text_.size() && belongs(before, at(0)); skip(1)) {
    before = at(0);
    token_.text += before;
  }
}

void Lexer::advance() {
  skip_space();
  token_ = Token{TokenKind::end, {}, line_, column_};
  if (position_ >= text_.size()) return;
  const char c = at(0);
  if (c == '"') {
    read_string();
  } else if (is_name_start(c)) {
    read_while(TokenKind::name, belongs_to_name);
  } else if (is_digit(c) || ((c == '-' || c == '.') && (is_digit(at(1)) || at(1) == '.' || at(1) == 'i'))) {
    read_while(TokenKind::number, belongs_to_number);
  } else {
    token_.kind = TokenKind::symbol;
    const bool pair = (c == ':' && at(1) == ':') || (c == '-' && at(1) == '>');
    token_.text = text_.substr(position_, pair ? 2 : 1);
    skip(token_.text.size());
  }
}

}  // namespace octavo::graph_text
