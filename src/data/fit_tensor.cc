#include "fit_tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "file_bytes.h"

namespace octavo::data {
namespace {

using Dims = std::span<const std::int64_t>;

bool matches(Dims found, Dims wanted) {
  return std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(),
                    [](std::int64_t size, std::int64_t want) { return want < 0 || want == size; });
}

Shape without_ones(Dims dims) {
  Shape kept;
  std::copy_if(dims.begin(), dims.end(), std::back_inserter(kept), [](std::int64_t dim) { return dim != 1; });
  return kept;
}

bool single_batch(Dims wanted) { return !wanted.empty() && (wanted[0] == 1 || wanted[0] < 0); }

// A sample's shape as the input's: equal, without its batch, or the same but for dimensions of 1, or flat.
// Other shapes of as many elements are refused: NHWC data for an NCHW input must not pass unseen.
std::optional<Shape> sample_shape(Dims found, Dims wanted) {
  if (matches(found, wanted)) return Shape(found.begin(), found.end());
  if (single_batch(wanted) && matches(found, wanted.subspan(1))) {
    Shape shape(found.begin(), found.end());
    shape.insert(shape.begin(), 1);
    return shape;
  }
  Shape closed(wanted.begin(), wanted.end());
  if (!closed.empty() && closed[0] < 0) closed[0] = 1;
  const auto count = checked_element_count(closed);
  if (!count) return std::nullopt;
  const bool flat = found.size() == 1 && found[0] == *count;
  if (flat || without_ones(found) == without_ones(closed)) return closed;
  return std::nullopt;
}

}  // namespace

Fit fit_shape(Dims found, const InputSpec& input, const std::string& name) {
  if (std::find(found.begin(), found.end(), 0) != found.end()) {
    bad_data(name, fmt::format("an empty tensor [{}]", fmt::join(found, ",")));
  }
  const Dims wanted = input.dims;
  // An input with an open batch takes rows one by one, too.
  const bool batch_of_many = found.size() == wanted.size() && single_batch(wanted) && found[0] > 1;
  if (!batch_of_many) {
    if (const auto shape = sample_shape(found, wanted)) return {1, false, *shape};
  }
  if (!found.empty()) {
    if (const auto shape = sample_shape(found.subspan(1), wanted)) return {found[0], true, *shape};
  }
  bad_data(name, fmt::format("a tensor [{}] does not fit input '{}' [{}], nor do its rows", fmt::join(found, ","),
                             input.name, fmt::join(wanted, ",")));
}

Shape fit_count(std::int64_t count, const InputSpec& input, const std::string& name) {
  Shape shape = input.dims;
  if (!shape.empty() && shape[0] < 0) shape[0] = 1;
  const auto open = std::find_if(shape.begin(), shape.end(), [](std::int64_t dim) { return dim < 0; });
  if (open != shape.end()) {
    *open = 1;
    const auto rest = checked_element_count(shape);
    if (rest && *rest > 0 && count % *rest == 0) *open = count / *rest;
  }
  const auto wanted = checked_element_count(shape);
  if (!wanted || *wanted != count) {
    bad_data(name, fmt::format("{} numbers do not fit input '{}' [{}]", count, input.name, fmt::join(input.dims, ",")));
  }
  return shape;
}

}  // namespace octavo::data
