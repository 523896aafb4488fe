// A matrix the other way round, in squares of a vector's width: what the way back through a layer
// multiplies with, and rows of samples as columns of lanes.
#pragma once

#include <type_traits>

#include "pgfast/arrays.hpp"

namespace pgfast {

namespace detail {

// Squares of V's width, then narrower ones in what is left at the right and at the bottom.
template <class V, class S>
void transpose_squares(const S* from, Index from_stride, Index rows, Index columns, S* to,
                       Index to_stride) {
  if constexpr (std::is_same_v<V, S>) {
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < columns; ++c) to[c * to_stride + r] = from[r * from_stride + c];
    }
  } else {
    namespace packet = Eigen::internal;
    constexpr int width = packet::unpacket_traits<V>::size;
    const Index whole_rows = rows / width * width, whole_columns = columns / width * width;
    for (Index r = 0; r < whole_rows; r += width) {
      for (Index c = 0; c < whole_columns; c += width) {
        packet::PacketBlock<V, width> square;
        for (int i = 0; i < width; ++i) {
          square.packet[i] = packet::ploadu<V>(from + (r + i) * from_stride + c);
        }
        packet::ptranspose(square);
        for (int i = 0; i < width; ++i) {
          packet::pstoreu(to + (c + i) * to_stride + r, square.packet[i]);
        }
      }
    }
    using Half = typename packet::unpacket_traits<V>::half;
    using Next = std::conditional_t<std::is_same_v<Half, V>, S, Half>;
    if (whole_columns < columns) {
      transpose_squares<Next>(from + whole_columns, from_stride, rows, columns - whole_columns,
                              to + whole_columns * to_stride, to_stride);
    }
    if (whole_rows < rows) {
      transpose_squares<Next>(from + whole_rows * from_stride, from_stride, rows - whole_rows,
                              whole_columns, to + whole_rows, to_stride);
    }
  }
}

}  // namespace detail

// to (columns, rows) = the transpose of from (rows, columns); rows stand `from_stride` and
// `to_stride` numbers apart.
template <class S>
void transpose(const S* from, Index from_stride, Index rows, Index columns, S* to,
               Index to_stride) {
  detail::transpose_squares<typename Eigen::internal::packet_traits<S>::type>(
      from, from_stride, rows, columns, to, to_stride);
}
template <class S>
void transpose(const S* from, Index rows, Index columns, S* to) {
  transpose(from, columns, rows, columns, to, rows);
}

}  // namespace pgfast
