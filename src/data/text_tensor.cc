#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "file_bytes.h"
#include "octavo/data.h"

namespace octavo {
namespace {

bool separates(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ','; }

double parse_number(std::string_view word, const std::string& name, std::size_t line) {
  // from_chars takes no plus sign.
  const std::string_view digits = word.starts_with('+') ? word.substr(1) : word;
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    data::bad_data(name, fmt::format("line {}: '{}' is no number{}", line, word.substr(0, 40),
                                     error == std::errc::result_out_of_range ? " that fits a double" : ""));
  }
  return value;
}

}  // namespace

Tensor read_text_tensor(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = data::read_file(path);
  const char* at = reinterpret_cast<const char*>(bytes.data());
  const char* const end = at + bytes.size();
  const std::string name = path.string();
  std::vector<double> values;
  for (std::size_t line = 1; at != end;) {
    if (separates(*at)) {
      line += *at == '\n' ? 1 : 0;
      ++at;
      continue;
    }
    const char* const stop = std::find_if(at, end, separates);
    values.push_back(parse_number({at, static_cast<std::size_t>(stop - at)}, name, line));
    at = stop;
  }
  if (values.empty()) data::bad_data(name, "holds no numbers");
  return Tensor::from<double>({static_cast<std::int64_t>(values.size())}, values);
}

}  // namespace octavo
