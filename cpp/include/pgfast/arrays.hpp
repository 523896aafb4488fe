// The only array types that kernels see: row-major views of memory that somebody else owns.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <cstring>

namespace pgfast {

using Index = Eigen::Index;

// A discrete action, Gymnasium's dtype for it.
using DiscreteAction = std::int64_t;

// Rows of a tile: how many samples go through a network together. 32 rows of a 64-wide float32
// layer are 8 KiB, so input, output and weights (16 KiB) of one layer fit the first-level cache.
inline constexpr Index tile_rows = 32;

template <class S>
using MatrixView = Eigen::Map<Eigen::Array<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
template <class S>
using ConstMatrixView =
    Eigen::Map<const Eigen::Array<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using FlagView = ConstMatrixView<bool>;

// Flags as bytes, 0 or 1: GCC makes vector code of loops over bytes, and none of loops over bool.
inline const std::uint8_t* bytes(const bool* flags) {
  return reinterpret_cast<const std::uint8_t*>(flags);
}

// f(i) for each i with flags[i], in order; runs of unset flags are skipped at the speed of memchr.
template <class F>
void for_each_set(const bool* flags, Index begin, Index end, F&& f) {
  for (Index i = begin; i < end; ++i) {
    const void* hit = std::memchr(flags + i, 1, static_cast<std::size_t>(end - i));
    if (hit == nullptr) return;
    i = static_cast<const bool*>(hit) - flags;
    f(i);
  }
}

// How many of them are set: 64 sums of at most 255 flags each stay in bytes, as many as a vector
// has.
inline Index count_set(const bool* flags, Index begin, Index end) {
  constexpr Index width = 64, rows = 255;
  const std::uint8_t* flag = bytes(flags) + begin;
  Index left = end - begin, count = 0;
  while (left >= width) {
    std::uint8_t sums[width] = {};
    const Index here = std::min(rows, left / width);
    for (Index row = 0; row < here; ++row, flag += width) {
      for (Index i = 0; i < width; ++i) sums[i] = static_cast<std::uint8_t>(sums[i] + flag[i]);
    }
    left -= here * width;
    std::uint32_t part = 0;
    for (const std::uint8_t sum : sums) part += sum;
    count += part;
  }
  for (Index i = 0; i < left; ++i) count += flag[i];
  return count;
}

// Copies a row. Most are so short that calling memcpy would take longer than copying: in pieces of
// 4, the last of which reaches back to end where the row ends.
template <class T>
void copy_row(const T* from, Index width, T* to) {
  constexpr Index piece = 4, longest = 16 * piece;
  if (width > longest) {
    std::memcpy(to, from, static_cast<std::size_t>(width) * sizeof(T));
  } else if (width >= piece) {
    for (Index i = 0; i < width; i += piece) {
      const Index at = std::min(i, width - piece);
      std::memcpy(to + at, from + at, piece * sizeof(T));
    }
  } else {
    if (width > 0) to[0] = from[0];
    if (width > 1) to[1] = from[1];
    if (width > 2) to[2] = from[2];
  }
}

// The same for rows that stand `from_stride` and `to_stride` apart.
template <class T>
void copy_rows(const T* from, Index from_stride, Index rows, Index width, T* to, Index to_stride) {
  if (width == 1) {
    for (Index r = 0; r < rows; ++r) to[r * to_stride] = from[r * from_stride];
  } else {
    for (Index r = 0; r < rows; ++r) copy_row(from + r * from_stride, width, to + r * to_stride);
  }
}

// target (rows, width) = the rows of `source` that `order` names; nothing where it is null
template <class T>
void gather(const T* source, const Index* order, Index rows, Index width, T* target) {
  if (!source) return;
  if (width == 1) {
    for (Index r = 0; r < rows; ++r) target[r] = source[order[r]];
  } else {
    for (Index r = 0; r < rows; ++r) copy_row(source + order[r] * width, width, target + r * width);
  }
}

// Asks for numbers that are read soon, so that they come from memory meanwhile.
template <class S>
void prefetch(const S* data, Index count) {
  constexpr Index line = 64 / Index{sizeof(S)};
  for (Index i = 0; i < count; i += line) __builtin_prefetch(data + i);
  if (count > 0) __builtin_prefetch(data + count - 1);  // of its own where `data` is inside a line
}

// Memory of a kernel's own, aligned for the widest vectors.
template <class S>
using Buffer = Eigen::Array<S, Eigen::Dynamic, 1>;

// W numbers that are worked on together; W is a multiple of every vector width, so that Eigen turns
// an expression over lanes into whole vectors and each lane's result is independent of the others.
template <class S, int W>
using Lanes = Eigen::Array<S, W, 1>;

// The number of `size`-wide pieces that cover `count`.
constexpr Index ceil_div(Index count, Index size) { return (count + size - 1) / size; }

// Applies `f` to `count` numbers in place, 32 lanes at a time. `data` must have room for a whole
// number of 32s: a tail handled by scalar code could differ from the vector code in the last bit,
// and then a sample's result would depend on its place in the batch.
inline constexpr int chunk = 32;
template <class S, class F>
void transform_chunks(S* data, Index count, F&& f) {
  for (Index i = 0; i < count; i += chunk) {
    Eigen::Map<Lanes<S, chunk>, Eigen::AlignedMax> lanes(data + i);
    lanes = f(lanes);
  }
}
constexpr Index padded(Index count) { return ceil_div(count, chunk) * chunk; }

}  // namespace pgfast
