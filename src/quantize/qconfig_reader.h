#pragma once

#include <string>
#include <string_view>

#include "fields.h"
#include "octavo/qconfig.h"

namespace octavo::recipe {

/// What a file says of tensors of one kind: MMRazor's `w_observer`, `w_fake_quant` and `w_qscheme`, or a_….
class TensorFields {
 public:
  /// `prefix` is "w_" or "a_". `global` is what an override begins from; null in the global configuration, which begins
  /// from MMRazor's defaults.
  TensorFields(const FieldReader& reader, std::string_view prefix, const TensorQConfig* global,
               const Extensions& extensions)
      : reader_(reader), prefix_(prefix), global_(global), extensions_(extensions) {}

  /// Adds the three keys; their values must stay where they are until finish().
  void add_to(Fields& fields);
  bool given() const { return observer_ != nullptr || fake_quant_ != nullptr || qscheme_ != nullptr; }
  TensorQConfig finish() const;

 private:
  std::string key(std::string_view name) const { return std::string(prefix_) + std::string(name); }
  void read_observer(TensorQConfig& config) const;
  void read_fake_quant(TensorQConfig& config) const;
  void read_qscheme(TensorQConfig& config) const;
  void read_option(TensorQConfig& config, const YamlNode& option, const YamlNode& value, const Fields& beside) const;

  const FieldReader& reader_;
  std::string_view prefix_;
  const TensorQConfig* global_;
  const Extensions& extensions_;
  const YamlNode* observer_ = nullptr;
  const YamlNode* fake_quant_ = nullptr;
  const YamlNode* qscheme_ = nullptr;
};

/// The keys of a TensorQConfig, a line each behind `indent`; "" where it says nothing. What TensorFields reads.
std::string tensor_text(const TensorQConfig& config, std::string_view prefix, std::string_view indent);

}  // namespace octavo::recipe
