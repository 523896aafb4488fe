// C = init + A B for a tile: the one product behind forward, backward and jvp.
//
// A block of R rows and V columns of C is held in registers while k runs; each step broadcasts R
// numbers of A against one row of B. With R V = 8 x 2 vectors (AVX-512) or 6 x 2 (16 registers) the
// multiply-adds hide their latency. A is read through two strides, so the same code gives
//
//   forward           Y  = b + X W        A = X   (rows, I)   strides (I, 1)
//   input gradient    dX = dY W'          A = dY  (rows, O)   strides (O, 1)
//   weight gradient   dW += X' dY         A = X'  (I, rows)   strides (1, I)
//
// Every element of C is one chain of multiply-adds over k = 0, 1, ..., whatever block it falls into:
// a sample's result does not depend on the other rows of its tile.
#pragma once

#include "pgfast/arrays.hpp"

namespace pgfast {

template <class S>
struct Strided {
  const S* data;
  Index row, k;  // element (r, k) is data[r * row + k * this->k]
};

// What C starts from: nothing (null), one row for all rows (row_stride 0), or C itself.
template <class S>
struct Initial {
  const S* data = nullptr;
  Index row_stride = 0;
};

namespace detail {

template <int R, int V, class S>
void product_block(Strided<S> a, const S* b, Index ldb, Initial<S> init, S* c, Index ldc, Index K) {
  using Row = Eigen::Array<S, V, 1>;
  Row acc[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    if (init.data) {
      acc[r] = Eigen::Map<const Row>(init.data + r * init.row_stride);
    } else {
      acc[r].setZero();
    }
  }
  for (Index k = 0; k < K; ++k) {
    const Row b_k = Eigen::Map<const Row>(b + k * ldb);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) acc[r] += a.data[r * a.row + k * a.k] * b_k;
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) Eigen::Map<Row>(c + r * ldc) = acc[r];
}

template <int V, class S>
void product_columns(Strided<S> a, const S* b, Index ldb, Initial<S> init, S* c, Index ldc,
                     Index rows, Index K) {
  constexpr int R = EIGEN_MAX_STATIC_ALIGN_BYTES == 64 ? 8 : 6;
  Index r = 0;
  const auto block = [&]<int Rows>() {
    product_block<Rows, V>({a.data + r * a.row, a.row, a.k}, b, ldb,
                           {init.data ? init.data + r * init.row_stride : nullptr, init.row_stride},
                           c + r * ldc, ldc, K);
    r += Rows;
  };
  while (r + R <= rows) block.template operator()<R>();
  while (r < rows) block.template operator()<1>();
}

template <int V, class S>
void product_rest(Strided<S> a, const S* b, Index ldb, Initial<S> init, S* c, Index ldc, Index rows,
                  Index columns, Index K) {
  Index o = 0;
  for (; o + V <= columns; o += V) {
    product_columns<V>(a, b + o, ldb, {init.data ? init.data + o : nullptr, init.row_stride}, c + o,
                       ldc, rows, K);
  }
  if constexpr (V > 1) {
    if (o < columns) {
      product_rest<V / 2>(a, b + o, ldb, {init.data ? init.data + o : nullptr, init.row_stride},
                          c + o, ldc, rows, columns - o, K);
    }
  }
}

}  // namespace detail

// C (rows, columns) = init + A (rows, K) B (K, columns); B and C row-major and dense.
template <class S>
void product(Strided<S> a, const S* b, Initial<S> init, S* c, Index rows, Index columns, Index K) {
  constexpr int packet = Eigen::internal::packet_traits<S>::size;
  detail::product_rest<2 * packet>(a, b, columns, init, c, columns, rows, columns, K);
}

}  // namespace pgfast
