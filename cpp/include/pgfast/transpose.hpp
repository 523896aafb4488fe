// A matrix the other way round, in squares of a vector's width: what the way back through a layer
// multiplies with, and rows of samples as columns of lanes.
#pragma once

#include <algorithm>
#include <type_traits>

#include "pgfast/arrays.hpp"

namespace pgfast {

namespace detail {

// What is done with a number, or a vector of them, at its new place.
struct Write {
  template <class S, class V>
  static EIGEN_STRONG_INLINE void put(S* to, const V& v) {
    if constexpr (std::is_same_v<S, V>) {
      *to = v;
    } else {
      Eigen::internal::pstoreu(to, v);
    }
  }
};
struct Add {
  template <class S, class V>
  static EIGEN_STRONG_INLINE void put(S* to, const V& v) {
    if constexpr (std::is_same_v<S, V>) {
      *to += v;
    } else {
      Write::put(to, Eigen::internal::padd(Eigen::internal::ploadu<V>(to), v));
    }
  }
};

// Squares of V's width, then narrower ones in what is left at the right and at the bottom. Where
// more than one is left, but too few for the narrowest square, that square reaches back over what
// is done already and writes it once more (adding, it may not).
template <class How, class V, class S>
void transpose_squares(const S* from, Index from_stride, Index rows, Index columns, S* to,
                       Index to_stride) {
  if constexpr (std::is_same_v<V, S>) {
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < columns; ++c)
        How::put(to + c * to_stride + r, from[r * from_stride + c]);
    }
  } else {
    namespace packet = Eigen::internal;
    constexpr int width = packet::unpacket_traits<V>::size;
    const auto turn = [&](Index r, Index c) {
      packet::PacketBlock<V, width> square;
      for (int i = 0; i < width; ++i) {
        square.packet[i] = packet::ploadu<V>(from + (r + i) * from_stride + c);
      }
      packet::ptranspose(square);
      for (int i = 0; i < width; ++i) How::put(to + (c + i) * to_stride + r, square.packet[i]);
    };
    Index whole_rows = rows / width * width, whole_columns = columns / width * width;
    for (Index r = 0; r < whole_rows; r += width) {
      for (Index c = 0; c < whole_columns; c += width) turn(r, c);
    }
    using Half = typename packet::unpacket_traits<V>::half;
    using Next = std::conditional_t<std::is_same_v<Half, V>, S, Half>;
    if constexpr (std::is_same_v<Next, S> && width > 2 && std::is_same_v<How, Write>) {
      if (whole_rows > 0 && whole_columns > 0) {
        if (columns - whole_columns > 1) {
          for (Index r = 0; r < whole_rows; r += width) turn(r, columns - width);
          whole_columns = columns;
        }
        if (rows - whole_rows > 1) {
          for (Index c = 0; c < whole_columns; c += width) {
            turn(rows - width, std::min(c, columns - width));
          }
          whole_rows = rows;
        }
      }
    }
    if (whole_columns < columns) {
      transpose_squares<How, Next>(from + whole_columns, from_stride, rows, columns - whole_columns,
                                   to + whole_columns * to_stride, to_stride);
    }
    if (whole_rows < rows) {
      transpose_squares<How, Next>(from + whole_rows * from_stride, from_stride, rows - whole_rows,
                                   whole_columns, to + whole_rows, to_stride);
    }
  }
}

// Rows of N numbers, one behind the other, as columns, and back. Two or three fill no vector: here
// the compiler, which knows the number, makes shuffles of plain loops.
template <class How, int N, class S>
void columns_of_narrow(const S* __restrict from, Index rows, S* __restrict to, Index to_stride) {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < N; ++c) How::put(to + c * to_stride + r, from[r * N + c]);
  }
}
template <class How, int N, class S>
void narrow_of_columns(const S* __restrict from, Index from_stride, Index rows, S* __restrict to) {
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < N; ++c) How::put(to + r * N + c, from[c * from_stride + r]);
  }
}

template <class How, class S>
void transpose_by(const S* from, Index from_stride, Index rows, Index columns, S* to,
                  Index to_stride) {
  if (columns <= 3 && columns == from_stride) {
    if (columns == 1) return columns_of_narrow<How, 1>(from, rows, to, to_stride);
    if (columns == 2) return columns_of_narrow<How, 2>(from, rows, to, to_stride);
    if (columns == 3) return columns_of_narrow<How, 3>(from, rows, to, to_stride);
  }
  if (rows <= 3 && rows == to_stride) {
    if (rows == 1) return narrow_of_columns<How, 1>(from, from_stride, columns, to);
    if (rows == 2) return narrow_of_columns<How, 2>(from, from_stride, columns, to);
    if (rows == 3) return narrow_of_columns<How, 3>(from, from_stride, columns, to);
  }
  transpose_squares<How, typename Eigen::internal::packet_traits<S>::type>(from, from_stride, rows,
                                                                           columns, to, to_stride);
}

}  // namespace detail

// to (columns, rows) = the transpose of from (rows, columns); rows stand `from_stride` and
// `to_stride` numbers apart.
template <class S>
void transpose(const S* from, Index from_stride, Index rows, Index columns, S* to,
               Index to_stride) {
  detail::transpose_by<detail::Write>(from, from_stride, rows, columns, to, to_stride);
}
template <class S>
void transpose(const S* from, Index rows, Index columns, S* to) {
  transpose(from, columns, rows, columns, to, rows);
}

// to (columns, rows) += the transpose of from (rows, columns)
template <class S>
void add_transpose(const S* from, Index rows, Index columns, S* to) {
  detail::transpose_by<detail::Add>(from, columns, rows, columns, to, rows);
}

}  // namespace pgfast
