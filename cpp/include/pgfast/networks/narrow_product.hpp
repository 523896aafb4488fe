// Products with a matrix of few columns, whose rows fill no vector: a network's last layer. A
// general product leaves them to scalar code, which takes five times as long.
//
// Forward, the lanes go along k, and each element is the sum of a vector. On the way back, the
// gradient is made as its transpose, whose rows are long, and turned.
#pragma once

#include "pgfast/networks/product.hpp"
#include "pgfast/transpose.hpp"

namespace pgfast {

// Columns up to which this pays, measured against `product`, for K of a vector or more.
inline constexpr Index narrow_columns = 7;

// y (rows, columns) = bias + A B, B' (columns, K) being B transposed; all of them are dense.
template <class S>
void narrow_product(const S* a, const S* b_transposed, const S* bias, S* y, Index rows,
                    Index columns, Index K) {
  namespace packet = Eigen::internal;
  using V = typename packet::packet_traits<S>::type;
  constexpr int width = packet::unpacket_traits<V>::size;
  const Index whole = K / width * width;
  for (Index r = 0; r < rows; ++r) {
    for (Index o = 0; o < columns; ++o) {
      const S *left = a + r * K, *right = b_transposed + o * K;
      V sums = packet::pset1<V>(S{0});
      for (Index k = 0; k < whole; k += width) {
        sums = multiply_add(packet::ploadu<V>(left + k), packet::ploadu<V>(right + k), sums);
      }
      S sum = bias[o] + packet::predux(sums);
      for (Index k = whole; k < K; ++k) sum = multiply_add(left[k], right[k], sum);
      y[r * columns + o] = sum;
    }
  }
}

// gradient (K, columns) += A' dy for dy (rows, columns). `work` has room for 2 (columns, K).
template <class S>
void narrow_gradient(const S* a, const S* dy, S* gradient, Index rows, Index columns, Index K,
                     S* work) {
  if (columns == 1) {
    return product<S>({dy, 1, 1}, a, {gradient, K}, gradient, 1, K, rows);
  }
  product<S>({dy, 1, columns}, a, {}, work, columns, K, rows);
  S* turned = work + columns * K;
  transpose(work, columns, K, turned);
  for (Index i = 0; i < K * columns; ++i) gradient[i] += turned[i];
}

}  // namespace pgfast
