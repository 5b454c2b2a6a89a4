#include "tnn/layer_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <span>
#include <utility>

#include "octavo/error.h"

namespace octavo::formats::tnn {

ValueId LayerReader::input(std::size_t i) {
  if (i < layer_.inputs.size()) return builder_.blob(layer_.inputs[i], layer_.quantized);
  fail(fmt::format("it has {} inputs, but reads input {}", layer_.inputs.size(), i));
}

const Resource& LayerReader::required_resource() const {
  if (const Resource* const found = resource()) return *found;
  fail("the file of weights holds no constants for it");
}

std::int64_t LayerReader::integer(std::size_t i, std::optional<std::int64_t> fallback) const {
  if (i >= layer_.params.size()) {
    if (fallback) return *fallback;
    fail(fmt::format("it has {} parameters, where at least {} are expected", layer_.params.size(), i + 1));
  }
  const std::string& token = layer_.params[i];
  std::int32_t value = 0;
  const auto [end, code] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (code == std::errc() && end == token.data() + token.size()) return value;
  fail(fmt::format("its parameter {}, '{}', is no integer", i, token));
}

std::int64_t LayerReader::integer_within(std::size_t i, std::int64_t least, std::int64_t most,
                                         std::optional<std::int64_t> fallback) const {
  const std::int64_t value = integer(i, fallback);
  if (value >= least && value <= most) return value;
  fail(fmt::format("its parameter {} is {}, where {} to {} is expected", i, value, least, most));
}

float LayerReader::number(std::size_t i, std::optional<float> fallback) const {
  if (i >= layer_.params.size()) {
    if (fallback) return *fallback;
    fail(fmt::format("it has {} parameters, where at least {} are expected", layer_.params.size(), i + 1));
  }
  const std::string& token = layer_.params[i];
  float value = 0.0F;
  const auto [end, code] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (code == std::errc() && end == token.data() + token.size()) return value;
  fail(fmt::format("its parameter {}, '{}', is no number", i, token));
}

std::vector<std::int64_t> LayerReader::counted(std::size_t& at) const {
  const auto count = static_cast<std::size_t>(integer_within(at++, 0, 16));
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(integer(at++));
  return values;
}

ValueId LayerReader::add(std::string_view op_type, std::vector<ValueId> inputs, Attributes attributes) {
  return builder_.add(layer_.name, op_type, std::move(inputs), std::move(attributes));
}

ValueId LayerReader::integers(const std::vector<std::int64_t>& values) {
  return constant(
      Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values)));
}

void LayerReader::result(ValueId value, std::size_t output) {
  if (output >= layer_.outputs.size()) {
    fail(fmt::format("it has {} outputs, but computes output {}", layer_.outputs.size(), output));
  }
  builder_.set_blob(layer_.outputs[output], value, layer_.quantized);
}

void LayerReader::error(ErrorCode code, const std::string& what) const {
  throw Error(code,
              fmt::format("layer '{}' ({}{}): {}", layer_.name, layer_.quantized ? kQuantized : "", layer_.type, what));
}

void LayerReader::fail(const std::string& what) const { error(ErrorCode::bad_model, what); }
void LayerReader::refuse(const std::string& what) const { error(ErrorCode::unsupported, what); }

}  // namespace octavo::formats::tnn
