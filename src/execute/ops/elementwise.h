#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>

#include "broadcast.h"
#include "op.h"

/// Promise before a loop that its iterations do not depend on each other, although it may write over what the
/// same iteration reads: GCC vectorizes it without a check that such loops would fail. (Clang's pragma of that
/// meaning warns wherever a loop cannot be vectorized; it has none here.)
#if defined(__GNUC__) && !defined(__clang__)
#define OCTAVO_INDEPENDENT _Pragma("GCC ivdep")
#else
#define OCTAVO_INDEPENDENT
#endif

namespace octavo::execute {

/// Elements that one piece of parallel work takes.
inline constexpr std::int64_t kPieceElements = std::int64_t{1} << 15;

/// body(begin, end) over [0, count) in pieces of `grain`.
template <typename Body>
void for_each_piece(RunContext& context, std::int64_t count, std::int64_t grain, const Body& body) {
  if (count <= grain) {
    if (count > 0) body(std::int64_t{0}, count);
    return;
  }
  context.for_each(static_cast<std::size_t>((count - 1) / grain + 1), [&](std::size_t piece) {
    const auto begin = static_cast<std::int64_t>(piece) * grain;
    body(begin, std::min(begin + grain, count));
  });
}

/// The bytes of a bool tensor; a file may hold others than 0 and 1, which reading as bool must not meet.
inline const std::uint8_t* bool_data(const RunContext& context, std::size_t i) {
  context.expect_dtype(i, DType::boolean);
  return static_cast<const std::uint8_t*>(context.input(i).bytes());
}

/// Calls body.template operator()<T>() with the unsigned type of the elements' size, for operators that only
/// move elements; fails for a type without a size.
template <typename Body>
void for_size_of(const RunContext& context, DType dtype, Body&& body) {
  switch (size_of(dtype)) {
    case 1:
      return body.template operator()<std::uint8_t>();
    case 2:
      return body.template operator()<std::uint16_t>();
    case 4:
      return body.template operator()<std::uint32_t>();
    case 8:
      return body.template operator()<std::uint64_t>();
    default:
      context.fail(ErrorCode::unsupported, "elements of type " + std::string(name_of(dtype)) + " are not supported");
  }
}

template <typename T>
const T* raw_input(const RunContext& context, std::size_t i) {
  return static_cast<const T*>(context.input(i).bytes());
}

/// y[i] = f(x[i]).
template <typename T, typename Out, typename F>
void map_elements(RunContext& context, const T* x, Out* y, std::int64_t count, const F& f) {
  for_each_piece(context, count, kPieceElements, [&](std::int64_t begin, std::int64_t end) {
    OCTAVO_INDEPENDENT
    for (std::int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
  });
}

/// y = f(a, b) over a row, where a step of 0 repeats one element.
template <typename A, typename B, typename Out, typename F>
void combine_row(const A* a, std::int64_t a_step, const B* b, std::int64_t b_step, Out* y, std::int64_t count,
                 const F& f) {
  if (a_step != 0 && b_step != 0) {
    OCTAVO_INDEPENDENT
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(a[i], b[i]);
  } else if (a_step != 0) {
    const B right = *b;
    OCTAVO_INDEPENDENT
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(a[i], right);
  } else if (b_step != 0) {
    const A left = *a;
    OCTAVO_INDEPENDENT
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(left, b[i]);
  } else {
    std::fill_n(y, count, static_cast<Out>(f(*a, *b)));
  }
}

/// y = f(a, b) for shapes broadcast as `walk` says.
template <typename A, typename B, typename Out, typename F>
void combine(RunContext& context, const Broadcast<2>& walk, const A* a, const B* b, Out* y, const F& f) {
  const std::int64_t length = walk.row_length();
  if (walk.rows() == 1) {
    for_each_piece(context, length, kPieceElements, [&](std::int64_t begin, std::int64_t end) {
      combine_row(a + begin * walk.step(0), walk.step(0), b + begin * walk.step(1), walk.step(1), y + begin,
                  end - begin, f);
    });
    return;
  }
  if (length == 0) return;
  const std::int64_t grain = std::max<std::int64_t>(1, kPieceElements / length);
  for_each_piece(context, walk.rows(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto row = walk.row(i);
      combine_row(a + row.input[0], walk.step(0), b + row.input[1], walk.step(1), y + row.output, length, f);
    }
  });
}

/// Memory for output 0, over input 0 or else input 1 where that has the output's shape and type and dies here.
template <typename T>
T* output_over_either(RunContext& context, const Shape& shape) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (context.dtype(i) == dtype_of<T> && std::ranges::equal(context.shape(i), shape)) {
      return context.output_over<T>(0, i, shape).data();
    }
  }
  return context.output<T>(0, shape).data();
}

/// Integers wrap around instead of overflowing; the narrow ones would otherwise be promoted to int.
template <typename T, bool kInteger = std::is_integral_v<T>>
struct Wrapping {
  using type = T;
};
template <typename T>
struct Wrapping<T, true> {
  using type = std::conditional_t<(sizeof(T) > 4), std::uint64_t, std::uint32_t>;
};
template <typename T>
using WrappingType = typename Wrapping<T>::type;

}  // namespace octavo::execute
