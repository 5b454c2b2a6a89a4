#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "op.h"

namespace octavo::execute {

/// An input of indices, counted from the front; fails unless each is in [-dim, dim).
class Indices {
 public:
  Indices(const RunContext& context, std::size_t input) : context_(context), values_(context.integers(input)) {}

  std::int64_t at(std::size_t i, std::int64_t dim) const {
    const std::int64_t index = values_[i];
    if (index < -dim || index >= dim) {
      context_.fail(ErrorCode::bad_data,
                    "index " + std::to_string(index) + " is out of range for a dimension of " + std::to_string(dim));
    }
    return index < 0 ? index + dim : index;
  }
  std::size_t size() const { return values_.size(); }

 private:
  const RunContext& context_;
  const std::vector<std::int64_t> values_;
};

}  // namespace octavo::execute
