#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace octavo::graph_text {

enum class TokenKind { name, string, number, symbol, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  ///< of a string: what is between the quotes, escapes resolved
  std::size_t line = 1;
  std::size_t column = 1;

  bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
  bool is_word(std::string_view word) const { return kind == TokenKind::name && text == word; }
};

/// Throws Error(bad_model) "graph text LINE:COLUMN: …".
[[noreturn]] void fail_at(const Token& token, std::string_view message);
/// How a message names a token: 'Relu', end of text.
std::string quoted(const Token& token);

bool is_name_start(char c);
bool is_name_part(char c);

/// Cuts text into names, strings, numbers and symbols, one token ahead; `#` starts a comment.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { advance(); }

  const Token& peek() const { return token_; }
  /// Characters behind the token ahead.
  std::size_t remaining() const { return text_.size() - position_; }
  Token next();
  bool accept(std::string_view symbol);
  bool accept_word(std::string_view word);
  Token expect(std::string_view symbol);
  Token expect(TokenKind kind, std::string_view what);

 private:
  void advance();
  char at(std::size_t offset) const { return position_ + offset < text_.size() ? text_[position_ + offset] : '\0'; }
  void skip(std::size_t count);
  void skip_space();
  void read_string();
  char read_escape();
  void read_while(TokenKind kind, bool (*belongs)(char before, char c));

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
  Token token_;
};

}  // namespace octavo::graph_text
