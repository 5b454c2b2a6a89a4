#include "wrap.h"

#include <algorithm>

namespace octavo::cli {
namespace {

void add_line(std::string& result, std::string_view line, std::size_t columns) {
  const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
  result.append(indent, ' ');
  std::size_t column = indent;
  for (line.remove_prefix(indent); !line.empty();) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.find_first_not_of(' ', word.size()), line.size()));
    if (column > indent && column + 1 + word.size() > columns) {
      result += '\n';
      result.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t columns) {
  std::string result;
  for (;;) {
    const std::size_t end = text.find('\n');
    add_line(result, text.substr(0, end), columns);
    if (end == std::string_view::npos) return result;
    result += '\n';
    text.remove_prefix(end + 1);
  }
}

}  // namespace octavo::cli
