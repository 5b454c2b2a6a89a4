#include "strided_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "elementwise.h"

namespace octavo::execute {
namespace {

/// Leaves out dimensions of 1 and joins neighbours that are walked as one.
void simplify(StridedSource& source) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < source.shape.size(); ++i) {
    if (source.shape[i] == 1) continue;
    if (kept > 0 && source.strides[kept - 1] == source.shape[i] * source.strides[i]) {
      source.shape[kept - 1] *= source.shape[i];
      source.strides[kept - 1] = source.strides[i];
      continue;
    }
    source.shape[kept] = source.shape[i];
    source.strides[kept] = source.strides[i];
    ++kept;
  }
  source.shape.resize(kept);
  source.strides.resize(kept);
}

template <typename T>
void copy_row(const T* x, std::int64_t step, T* y, std::int64_t count) {
  if (step == 1) {
    std::memcpy(y, x, static_cast<std::size_t>(count) * sizeof(T));
  } else if (step == 0) {
    std::fill_n(y, count, *x);
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i * step];
  }
}

/// A matrix whose columns are contiguous in x: tiles keep both sides in the cache.
template <typename T>
void transpose_plane(const T* x, std::int64_t x_stride, T* y, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t top = 0; top < rows; top += kTile) {
    const std::int64_t bottom = std::min(top + kTile, rows);
    for (std::int64_t left = 0; left < columns; left += kTile) {
      const std::int64_t right = std::min(left + kTile, columns);
      for (std::int64_t r = top; r < bottom; ++r) {
        for (std::int64_t c = left; c < right; ++c) y[r * columns + c] = x[r + c * x_stride];
      }
    }
  }
}

/// The innermost dimensions that one call copies: a row, or a plane where that is a transposition.
struct Block {
  std::size_t dims = 0;
  std::int64_t elements = 1;
};

Block block_of(const StridedSource& source) {
  const std::size_t rank = source.shape.size();
  if (rank == 0) return {};
  const bool plane = rank >= 2 && source.strides[rank - 2] == 1 && source.strides[rank - 1] > 1;
  const std::size_t dims = plane ? 2 : 1;
  return {dims, product(source.shape, rank - dims, rank)};
}

template <typename T>
void copy_block(const StridedSource& source, const Block& block, const T* x, T* y) {
  const std::size_t rank = source.shape.size();
  if (block.dims == 0)
    *y = *x;
  else if (block.dims == 1)
    copy_row(x, source.strides[rank - 1], y, source.shape[rank - 1]);
  else
    transpose_plane(x, source.strides[rank - 1], y, source.shape[rank - 2], source.shape[rank - 1]);
}

std::int64_t block_offset(const StridedSource& source, std::size_t outer_dims, std::int64_t index) {
  std::int64_t offset = source.offset;
  for (std::size_t d = outer_dims; d-- > 0;) {
    offset += index % source.shape[d] * source.strides[d];
    index /= source.shape[d];
  }
  return offset;
}

}  // namespace

std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

void copy_strided(RunContext& context, StridedSource source, Shape output) {
  const DType dtype = context.dtype(0);
  void* target = context.allocate(0, dtype, std::move(output));
  if (element_count(source.shape) == 0) return;
  simplify(source);
  const Block block = block_of(source);
  const std::size_t outer_dims = source.shape.size() - block.dims;
  const std::int64_t blocks = product(source.shape, 0, outer_dims);
  const std::int64_t grain = std::max<std::int64_t>(1, kPieceElements / block.elements);
  for_size_of(context, dtype, [&]<typename T>() {
    const T* x = raw_input<T>(context, 0);
    for_each_piece(context, blocks, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        copy_block(source, block, x + block_offset(source, outer_dims, i),
                   static_cast<T*>(target) + i * block.elements);
      }
    });
  });
}

}  // namespace octavo::execute
