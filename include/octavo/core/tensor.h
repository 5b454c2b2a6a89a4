#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/dtype.h"
#include "octavo/core/require.h"

namespace octavo {

/// Sizes of a tensor's dimensions, outermost first; empty for a scalar.
using Shape = std::vector<std::int64_t>;

/// Number of elements, or nothing where a dimension is negative or the product overflows int64.
inline std::optional<std::int64_t> checked_element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) {
      empty = true;
      continue;
    }
    if (count > std::numeric_limits<std::int64_t>::max() / dim) return std::nullopt;
    count *= dim;
  }
  return empty ? 0 : count;
}

/// Number of elements of a shape already known to be sound.
inline std::int64_t element_count(std::span<const std::int64_t> shape) {
  const auto count = checked_element_count(shape);
  OCTAVO_REQUIRE(count.has_value(), "a shape with non-negative dimensions whose product fits int64");
  return *count;
}

/// Read-only look at somebody else's elements, row-major and contiguous. Valid while the owner lives.
class TensorView {
 public:
  TensorView() = default;
  TensorView(DType dtype, std::span<const std::int64_t> shape, const void* data)
      : dtype_(dtype), shape_(shape), data_(data) {}
  template <typename T>
  TensorView(std::span<const std::int64_t> shape, const T* data)
      : TensorView(dtype_of<T>, shape, static_cast<const void*>(data)) {}

  DType dtype() const { return dtype_; }
  std::span<const std::int64_t> shape() const { return shape_; }
  std::int64_t dim(std::size_t axis) const { return shape_[axis]; }
  std::size_t rank() const { return shape_.size(); }
  std::int64_t size() const { return element_count(shape_); }
  const void* bytes() const { return data_; }

  template <typename T>
  std::span<const T> data() const {
    OCTAVO_REQUIRE(dtype_ == dtype_of<T>, "the element type the tensor holds");
    return {static_cast<const T*>(data_), static_cast<std::size_t>(size())};
  }

 private:
  DType dtype_ = DType::undefined;
  std::span<const std::int64_t> shape_;
  const void* data_ = nullptr;
};

/// Elements with a type and a shape, row-major, contiguous, aligned to 64 bytes. A copy shares the
/// bytes; `mutable_data` detaches first, so no holder ever sees another one's writes.
class Tensor {
 public:
  static constexpr std::size_t kAlignment = 64;

  Tensor() = default;

  /// Zero-filled unless `uninitialized`.
  Tensor(DType dtype, Shape shape, bool uninitialized = false) : dtype_(dtype), shape_(std::move(shape)) {
    OCTAVO_REQUIRE(size_of(dtype) > 0, "a computable element type");
    storage_ = allocate(byte_size());
    writable_ = true;
    if (!uninitialized && byte_size() > 0) std::memset(storage_.get(), 0, byte_size());
  }

  /// Keeps `storage` alive and reads it in place (a mapped file); it is never written through.
  Tensor(DType dtype, Shape shape, std::shared_ptr<const std::byte> storage)
      : dtype_(dtype), shape_(std::move(shape)), storage_(std::const_pointer_cast<std::byte>(std::move(storage))) {}

  template <typename T>
  static Tensor from(Shape shape, std::span<const T> values) {
    Tensor tensor(dtype_of<T>, std::move(shape), true);
    OCTAVO_REQUIRE(values.size() == static_cast<std::size_t>(tensor.size()), "as many values as the shape holds");
    if (!values.empty()) std::memcpy(tensor.storage_.get(), values.data(), values.size_bytes());
    return tensor;
  }
  template <typename T>
  static Tensor from(Shape shape, std::initializer_list<T> values) {
    return from(std::move(shape), std::span<const T>(values.begin(), values.size()));
  }
  template <typename T>
  static Tensor scalar(T value) {
    return from(Shape{}, std::span<const T>(&value, 1));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t dim(std::size_t axis) const { return shape_[axis]; }
  std::size_t rank() const { return shape_.size(); }
  std::int64_t size() const { return element_count(shape_); }
  std::size_t byte_size() const { return static_cast<std::size_t>(size()) * size_of(dtype_); }
  const std::byte* bytes() const { return storage_.get(); }
  std::byte* mutable_bytes() {
    detach();
    return storage_.get();
  }

  template <typename T>
  std::span<const T> data() const {
    return view().data<T>();
  }
  template <typename T>
  std::span<T> mutable_data() {
    OCTAVO_REQUIRE(dtype_ == dtype_of<T>, "the element type the tensor holds");
    detach();
    return {reinterpret_cast<T*>(storage_.get()), static_cast<std::size_t>(size())};
  }

  /// The same bytes under another shape of equal element count.
  Tensor reshaped(Shape shape) const {
    OCTAVO_REQUIRE(element_count(shape) == size(), "a shape with the same number of elements");
    Tensor result = *this;
    result.shape_ = std::move(shape);
    return result;
  }

  TensorView view() const { return {dtype_, shape_, storage_.get()}; }
  operator TensorView() const {
    return view();
  }  // NOLINT(google-explicit-constructor): a view is the cheap argument type

 private:
  static std::shared_ptr<std::byte> allocate(std::size_t bytes) {
    if (bytes == 0) bytes = 1;
    auto* data = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment}));
    return {data, [](std::byte* p) { ::operator delete (p, std::align_val_t{kAlignment}); }};
  }

  void detach() {
    if (writable_ && storage_.use_count() == 1) return;
    auto own = allocate(byte_size());
    if (byte_size() > 0) std::memcpy(own.get(), storage_.get(), byte_size());
    storage_ = std::move(own);
    writable_ = true;
  }

  DType dtype_ = DType::undefined;
  Shape shape_;
  std::shared_ptr<std::byte> storage_;
  bool writable_ = false;
};

}  // namespace octavo
