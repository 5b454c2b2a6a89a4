#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/observers/tensor_summary.h"

namespace octavo {

/// Keeps every tensor it sees, for a look at them, and has no parameters to give: PyTorch's RecordingObserver.
class RecordingObserver final : public ObserverBase {
 public:
  /// In picture order.
  const std::vector<Tensor>& tensors() const { return tensors_; }

  std::unique_ptr<Summary> summarize(const TensorView& x) const override { return std::make_unique<TensorSummary>(x); }
  void fold(const Summary& summary) override { tensors_.push_back(static_cast<const TensorSummary&>(summary).tensor); }
  void merge(const ObserverBase& later) override {
    const auto& others = static_cast<const RecordingObserver&>(later).tensors_;
    tensors_.insert(tensors_.end(), others.begin(), others.end());
  }
  QParams compute_qparams(const QScheme&) const override { return {}; }
  bool has_qparams() const override { return false; }

  void save(std::vector<std::byte>& out) const override {
    core::ByteWriter writer(out);
    for (const Tensor& tensor : tensors_) {
      writer.u32(static_cast<std::uint32_t>(tensor.rank()));
      for (const std::int64_t dim : tensor.shape()) writer.u64(static_cast<std::uint64_t>(dim));
      for (const float value : tensor.data<float>()) writer.f32(value);
    }
  }
  bool load(std::span<const std::byte> bytes) override {
    core::ByteReader in(bytes);
    std::vector<Tensor> tensors;
    while (in.left() > 0) {
      const std::uint32_t rank = in.u32();
      if (rank > in.left() / 8) return false;
      Shape shape(rank);
      for (std::int64_t& dim : shape) dim = static_cast<std::int64_t>(in.u64());
      const auto count = checked_element_count(shape);
      if (!count || static_cast<std::uint64_t>(*count) > in.left() / 4) return false;
      Tensor& tensor = tensors.emplace_back(DType::f32, std::move(shape), true);
      for (float& value : tensor.mutable_data<float>()) value = in.f32();
    }
    if (!in.complete()) return false;
    tensors_ = std::move(tensors);
    return true;
  }

 private:
  std::vector<Tensor> tensors_;
};

}  // namespace octavo
