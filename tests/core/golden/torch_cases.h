#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "octavo/core/fake_quantizers/gradients.h"
#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/quantize.h"

namespace octavo::golden {

/// Reads what torch_cases.py writes and compares it with what Octavo makes of the same tensors: scales within 4 ulp,
/// ranges of searches within one of 2048 bins, sums of gradients within rounding, all else equal.
class Checker {
 public:
  /// Called with what does not agree.
  using Report = std::function<void(const std::string&)>;

  explicit Checker(Report report) : report_(std::move(report)) {}

  void read(std::istream& in) {
    for (std::string text; std::getline(in, text);) {
      std::istringstream line(text);
      std::string key;
      line >> key;
      if (key == "sequence" || key == "case" || key == "gradient" || key == "end") finish();
      if (key == "sequence") {
        begin_sequence(line);
      } else if (key == "batch") {
        batches_.push_back(floats(line));
      } else if (key == "case" || key == "gradient") {
        heading_ = text;
      } else if (key == "zero_point" || key == "quantized") {
        integers_[key] = integers(line);
      } else {
        floats_[key] = floats(line);
      }
    }
  }
  int cases() const { return cases_; }

 private:
  using Floats = std::vector<float>;
  using Integers = std::vector<std::int32_t>;

  static Floats floats(std::istream& line) {
    Floats values;
    for (std::uint32_t bits = 0; line >> std::hex >> bits;) values.push_back(std::bit_cast<float>(bits));
    return values;
  }
  static Integers integers(std::istream& line) {
    Integers values;
    for (std::int32_t value = 0; line >> value;) values.push_back(value);
    return values;
  }

  void begin_sequence(std::istream& line) {
    line >> title_;
    shape_.clear();
    batches_.clear();
    for (std::int64_t dim = 0; line >> dim;) shape_.push_back(dim);
  }

  void finish() {
    if (!heading_.empty()) {
      ++cases_;
      std::istringstream line(heading_);
      std::string key;
      line >> key;
      key == "case" ? check_case(line) : check_gradient(line);
    }
    heading_.clear();
    floats_.clear();
    integers_.clear();
  }

  void expect(bool holds, const std::string& what) const {
    if (!holds) report_(title_ + ", " + heading_ + ": " + what);
  }
  static bool within_4_ulp(float a, float b) {
    const std::int64_t distance = std::int64_t{std::bit_cast<std::int32_t>(a)} - std::bit_cast<std::int32_t>(b);
    return std::abs(distance) <= 4;
  }
  static Floats values_of(const Tensor& tensor) { return {tensor.data<float>().begin(), tensor.data<float>().end()}; }
  TensorView tensor(const Floats& values) const { return {shape_, values.data()}; }

  void check_case(std::istream& line) {
    std::string observer_name;
    std::string fake_quantizer_name;
    std::string qtype;
    QScheme scheme;
    ObserverOptions options;
    line >> observer_name >> fake_quantizer_name >> qtype >> scheme.bits >> scheme.symmetric >>
        scheme.symmetric_range >> scheme.reduce_range >> scheme.explicit_range >> scheme.axis >>
        options.averaging_constant >> options.batch_size;
    scheme.qtype = qtype == "qint8" ? QType::qint8 : QType::quint8;
    options.axis = scheme.axis < 0 ? 0 : scheme.axis;
    const auto* entry = entry_named(fake_quantizers(), fake_quantizer_name);
    auto observer = observer_named(observer_name, options);
    auto within = observer_named(observer_name, options);
    if (entry == nullptr || observer == nullptr) return expect(false, "unknown name");
    for (const Floats& batch : batches_) observer->fold(*observer->summarize(tensor(batch)));
    QParams params = entry->compute_qparams(*observer, scheme);
    check_parameters(params);
    check_ranges(*observer, scheme);

    const auto step = entry->make(scheme, std::move(within), plain_kernels());
    Tensor last;
    for (const Floats& batch : batches_) last = step->forward(tensor(batch));
    expect(step->qparams() == params, "the fake-quantizer's parameters are not those of its observer");
    expect(values_of(last) == values_of(fake_quantize(tensor(batches_.back()), params)), "not its parameters' output");
    params.scale = floats_["scale"];  // a scale within its bar may differ, then outputs would
    expect(values_of(fake_quantize(tensor(batches_.back()), params)) == floats_["fake"], "fake-quantized output");
    if (integers_.count("quantized") == 0) return;
    params.storage = DType::i16;  // holds signed and unsigned integers alike
    const Tensor quantized = quantize(tensor(batches_.back()), params);
    const auto got = quantized.data<std::int16_t>();
    expect(Integers(got.begin(), got.end()) == integers_["quantized"], "quantized integers");
  }

  void check_parameters(const QParams& params) {
    const Floats& scale = floats_["scale"];
    if (params.scale.size() != scale.size()) return expect(false, "number of scales");
    for (std::size_t i = 0; i < scale.size(); ++i) {
      std::ostringstream found;
      found << "scale " << params.scale[i] << " for " << scale[i];
      expect(within_4_ulp(params.scale[i], scale[i]), found.str());
    }
    expect(params.zero_point == integers_["zero_point"], "zero points");
  }

  void check_ranges(const ObserverBase& observer, const QScheme& scheme) {
    const auto* uniform = observer.uniform();
    if (uniform == nullptr) return;
    const ChannelRanges ranges = uniform->ranges(scheme);
    const Floats& min = floats_["min"];
    const Floats& max = floats_["max"];
    if (ranges.size() != min.size()) return expect(false, "number of ranges");
    for (std::size_t i = 0; i < min.size(); ++i) {
      const float bin = observer.mergeable() ? 0.0F : (max[i] - min[i]) / 2048.0F;
      expect(std::fabs(ranges[i].min - min[i]) <= bin && std::fabs(ranges[i].max - max[i]) <= bin, "range");
      if (!(ranges[i] == Range{min[i], max[i]})) ++inexact_;
    }
  }

  void check_gradient(std::istream& line) {
    std::string kind;
    QParams params;
    std::uint32_t factor = 0;
    line >> kind >> params.axis >> params.quant_min >> params.quant_max >> std::hex >> factor;
    params.scale = floats_["scale"];
    const Floats& zero_point = floats_["real_zero_point"];
    const TensorView x = tensor(batches_.front());
    const TensorView dy = tensor(floats_["by"]);
    if (kind == "straight_through") {
      params.zero_point.assign(zero_point.begin(), zero_point.end());
      expect(values_of(fake_quantize_gradient(x, dy, params)) == floats_["dx"], "dx");
      return;
    }
    const float scaling = std::bit_cast<float>(factor);
    const LearnableQParams learned{params.scale, zero_point, params.axis, params.quant_min, params.quant_max};
    const LearnableGradients gradients = learnable_gradients(x, dy, learned, scaling);
    expect(values_of(gradients.x) == floats_["dx"], "dx");
    float sum = 0.0F;
    for (const float v : floats_["by"]) sum += std::fabs(v);
    const float steps = static_cast<float>(params.quant_max - params.quant_min);
    check_sums(gradients.scale, floats_["dscale"], 1e-6F * scaling * sum * steps, "dscale");
    check_sums(gradients.zero_point, floats_["dzero_point"], 1e-5F * scaling * sum * params.scale[0], "dzero_point");
  }

  void check_sums(const Floats& got, const Floats& wanted, float tolerance, const std::string& what) {
    if (got.size() != wanted.size()) return expect(false, "number of " + what);
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::ostringstream found;
      found << what << " " << got[i] << " for " << wanted[i];
      expect(std::fabs(got[i] - wanted[i]) <= tolerance + 1e-5F * std::fabs(wanted[i]), found.str());
    }
  }

 public:
  /// Ranges that are not equal to the bit.
  int inexact_ranges() const { return inexact_; }

 private:
  Report report_;
  std::string title_;
  std::string heading_;
  Shape shape_;
  std::vector<Floats> batches_;
  std::map<std::string, Floats> floats_;
  std::map<std::string, Integers> integers_;
  int cases_ = 0;
  int inexact_ = 0;
};

}  // namespace octavo::golden
