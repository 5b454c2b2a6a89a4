#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "file_bytes.h"
#include "fit_tensor.h"

namespace octavo::data {
namespace {

// Whether a float's value is one of T's.
template <typename T>
bool holds(double value) {
  return value == std::trunc(value) && value >= static_cast<double>(std::numeric_limits<T>::min()) &&
         value < std::ldexp(1.0, std::numeric_limits<T>::digits);
}

template <typename To, typename From>
bool fits(From value) {
  if constexpr (std::is_same_v<From, bool>) {
    return true;
  } else if constexpr (std::is_same_v<To, bool>) {
    return value == From{0} || value == From{1};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return holds<To>(static_cast<double>(value));
  } else if constexpr (std::is_same_v<From, double> && std::is_same_v<To, float>) {
    return !std::isfinite(value) || std::fabs(value) <= std::numeric_limits<float>::max();
  } else if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    return std::in_range<To>(value);
  } else {
    return true;
  }
}

template <typename To, typename From>
Tensor convert_elements(const Tensor& in, const std::string& name) {
  Tensor out(dtype_of<To>, in.shape(), true);
  const std::span<const From> source = in.data<From>();
  const std::span<To> target = out.mutable_data<To>();
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!fits<To>(source[i])) {
      bad_data(name, fmt::format("element {} is {}, which {} cannot hold", i, source[i], name_of(dtype_of<To>)));
    }
    target[i] = static_cast<To>(source[i]);
  }
  return out;
}

// Calls f with a value of the C++ type that stores `dtype`; nothing for the types C++20 has none for.
template <typename F>
std::optional<Tensor> with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::i8:
      return f(std::int8_t{});
    case DType::u8:
      return f(std::uint8_t{});
    case DType::i16:
      return f(std::int16_t{});
    case DType::u16:
      return f(std::uint16_t{});
    case DType::i32:
      return f(std::int32_t{});
    case DType::u32:
      return f(std::uint32_t{});
    case DType::i64:
      return f(std::int64_t{});
    case DType::u64:
      return f(std::uint64_t{});
    case DType::boolean:
      return f(bool{});
    default:
      return std::nullopt;
  }
}

}  // namespace

Tensor convert(const Tensor& tensor, DType dtype, const std::string& name) {
  if (tensor.dtype() == dtype) return tensor;
  const auto converted = with_type(dtype, [&](auto to) {
    return with_type(tensor.dtype(),
                     [&](auto from) { return convert_elements<decltype(to), decltype(from)>(tensor, name); })
        .value_or(Tensor{});
  });
  if (!converted || converted->dtype() != dtype) {
    bad_data(name, fmt::format("elements of {} cannot be converted to {}", name_of(tensor.dtype()), name_of(dtype)));
  }
  return *converted;
}

}  // namespace octavo::data
