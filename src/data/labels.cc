#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "file_bytes.h"
#include "find_files.h"
#include "fit_tensor.h"
#include "octavo/data.h"

namespace octavo {
namespace {

using data::bad_data;

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_mask(std::string_view word) {
  const data::FileKind kind = data::kind_of(word);
  return kind == data::FileKind::picture || kind == data::FileKind::npy;
}

LabelledSample parse_line(std::string_view line, const std::filesystem::path& folder, const std::string& where) {
  const std::size_t blank = line.find_last_of(kBlanks);
  if (blank == std::string_view::npos) {
    bad_data(where, fmt::format("'{}' has no label: expected a path, a blank and a class or mask", line.substr(0, 80)));
  }
  const std::string_view word = line.substr(blank + 1);
  LabelledSample sample;
  sample.path = folder / trimmed(line.substr(0, blank));
  if (is_mask(word)) {
    sample.mask = folder / word;
    return sample;
  }
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), sample.label);
  if (error != std::errc() || end != word.data() + word.size() || sample.label < 0) {
    bad_data(where, fmt::format("label '{}': expected a class from 0, or a mask ending in .png, .bmp, .jpg or .npy",
                                word.substr(0, 80)));
  }
  return sample;
}

std::vector<LabelledSample> labels_of_npy(const std::filesystem::path& path) {
  const std::string name = path.string();
  const Tensor found = read_npy(path);
  if (std::count_if(found.shape().begin(), found.shape().end(), [](std::int64_t dim) { return dim != 1; }) > 1) {
    bad_data(name, "labels of more than one dimension: expected one class a sample");
  }
  const Tensor labels = data::convert(found, DType::i64, name);
  std::vector<LabelledSample> samples;
  for (const std::int64_t label : labels.data<std::int64_t>()) {
    if (label < 0) bad_data(name, fmt::format("label {} of sample {}: expected 0 or more", label, samples.size()));
    samples.push_back({{}, label, {}});
  }
  return samples;
}

std::vector<LabelledSample> labels_of_text(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = data::read_file(path);
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // Windows editors' mark
  std::vector<LabelledSample> samples;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    samples.push_back(parse_line(line, path.parent_path(), fmt::format("{}, line {}", path.string(), number)));
  }
  return samples;
}

}  // namespace

std::vector<LabelledSample> read_labels(const std::filesystem::path& path) {
  std::vector<LabelledSample> samples =
      data::kind_of(path) == data::FileKind::npy ? labels_of_npy(path) : labels_of_text(path);
  if (samples.empty()) bad_data(path.string(), "holds no labels");
  return samples;
}

}  // namespace octavo
