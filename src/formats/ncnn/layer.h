#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "octavo/core/tensor.h"

namespace octavo::formats::ncnn {

using Param = std::variant<std::int32_t, float, std::vector<std::int32_t>, std::vector<float>, std::string>;

/// A layer's `id=value` pairs. Getters give the fallback where there is none, and throw Error(bad_model) naming the
/// id where it is of another type.
class Params {
 public:
  std::int32_t int_or(int id, std::int32_t fallback) const;
  float float_or(int id, float fallback) const;
  std::vector<std::int32_t> ints(int id) const;
  std::vector<float> floats(int id) const;
  bool has(int id) const { return values_.contains(id); }

  void set(int id, Param value) { values_[id] = std::move(value); }
  /// Leaves out what the runtime takes anyway.
  void set(int id, std::int64_t value, std::int64_t fallback);
  const std::map<int, Param>& values() const { return values_; }

 private:
  std::map<int, Param> values_;
};

/// Numbers of the .bin file. Tagged ones say what type they are of; plain ones are floats.
struct Blob {
  enum class Kind : std::uint8_t { tagged, plain };
  Kind kind = Kind::plain;
  Tensor tensor;  ///< f32, or i8 where tagged
};

/// One line of a .param file and what belongs to it in the .bin file.
struct Layer {
  int line = 0;  ///< of the file, from 1; read alone
  std::string type;
  std::string name;
  std::vector<std::string> bottoms;  ///< names of the blobs it reads
  std::vector<std::string> tops;     ///< and of those it writes
  Params params;
  std::vector<Blob> weights;  ///< in the order the runtime asks for them; filled by writers alone
};

}  // namespace octavo::formats::ncnn
