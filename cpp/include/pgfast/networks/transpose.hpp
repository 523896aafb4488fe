// A matrix the other way round: what the way back through a layer multiplies with.
#pragma once

#include "pgfast/arrays.hpp"

namespace pgfast {

// to (columns, rows) = the transpose of from (rows, columns), in squares of one vector's width.
template <class S>
void transpose(const S* from, Index rows, Index columns, S* to) {
  namespace packet = Eigen::internal;
  using V = typename packet::packet_traits<S>::type;
  constexpr int width = packet::unpacket_traits<V>::size;
  const Index whole_rows = rows / width * width, whole_columns = columns / width * width;
  for (Index r = 0; r < whole_rows; r += width) {
    for (Index c = 0; c < whole_columns; c += width) {
      packet::PacketBlock<V, width> square;
      for (int i = 0; i < width; ++i) {
        square.packet[i] = packet::ploadu<V>(from + (r + i) * columns + c);
      }
      packet::ptranspose(square);
      for (int i = 0; i < width; ++i) {
        packet::pstoreu(to + (c + i) * rows + r, square.packet[i]);
      }
    }
  }
  for (Index r = 0; r < rows; ++r) {
    for (Index c = r < whole_rows ? whole_columns : 0; c < columns; ++c) {
      to[c * rows + r] = from[r * columns + c];
    }
  }
}

}  // namespace pgfast
