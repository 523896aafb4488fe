// C = init + A B for a tile: the one product behind forward, backward and jvp.
//
// A block of R rows and V columns of C is held in registers while k runs; each step broadcasts R
// numbers of A against one row of B. With R V = 8 x 2 vectors (AVX-512) or 6 x 2 (16 registers) the
// multiply-adds hide their latency. Rows are shared out evenly among the blocks: 32 rows are two
// blocks of 6 and four of 5, where five of 6 and two rows alone take a fifth longer. A is read
// through two strides, so the same code gives
//
//   forward           Y  = b + X W        A = X   (rows, I)   strides (I, 1)
//   input gradient    dX = dY W'          A = dY  (rows, O)   strides (O, 1)
//   weight gradient   dW += X' dY         A = X'  (I, rows)   strides (1, I)
//
// A 64 x 64 layer runs at 98 % of the multiply-adds' peak (AVX2: 95), its weight gradient at 90 %
// (86): C is read and written for every 32 samples. Activations applied to the registers, before
// they are stored, gain nothing: a tile of two 64-wide tanh layers takes 3.51 us forward instead
// of 3.56.
//
// Every element of C is one chain of multiply-adds over k = 0, 1, ..., whatever block it falls
// into: a sample's result does not depend on the other rows of its tile.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "pgfast/multiply_add.hpp"

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

// R rows of C by `columns` vectors of type V, in registers. A function of its own: inlined, it
// takes 4 % longer. `a` comes by reference: copied onto the stack for each call, its three words
// are read again as one vector before they are stored, and a product of small K takes twice as
// long.
template <class V, int R, int columns, class S>
[[gnu::noinline]] void product_block(const Strided<S>& a, const S* b, Index ldb, Initial<S> init,
                                     S* c, Index ldc, Index K) {
  namespace packet = Eigen::internal;
  constexpr int width = packet::unpacket_traits<V>::size;
  V acc[R][columns];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < columns; ++v) {
      acc[r][v] = init.data ? packet::ploadu<V>(init.data + r * init.row_stride + v * width)
                            : packet::pset1<V>(S{0});
    }
  }
  for (Index k = 0; k < K; ++k) {
    V b_k[columns];
#pragma GCC unroll 8
    for (int v = 0; v < columns; ++v) b_k[v] = packet::ploadu<V>(b + k * ldb + v * width);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const V a_rk = packet::pset1<V>(a.data[r * a.row + k * a.k]);
#pragma GCC unroll 8
      for (int v = 0; v < columns; ++v) acc[r][v] = multiply_add(a_rk, b_k[v], acc[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < columns; ++v) packet::pstoreu(c + r * ldc + v * width, acc[r][v]);
  }
}

// Rows of a block of `columns` vectors: as many sums as hide the latency of multiply-adds and leave
// registers for A and B, of which there are 32 with AVX-512 and else 16.
inline constexpr bool many_registers = EIGEN_MAX_STATIC_ALIGN_BYTES == 64;
constexpr int block_rows(int columns) {
  if (many_registers) return std::min(8, 16 / columns);
  return columns == 2 ? 6 : 8 / columns;
}

// All rows of `columns` vectors.
template <class V, int columns, class S>
void product_rows(const Strided<S>& a, const S* b, Index ldb, Initial<S> init, S* c, Index ldc,
                  Index rows, Index K) {
  constexpr int R = block_rows(columns);
  static constexpr auto block_of = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array{&product_block<V, static_cast<int>(i) + 1, columns, S>...};
  }(std::make_index_sequence<R>());
  const Index blocks = ceil_div(rows, Index{R}), least = rows / blocks, longer = rows % blocks;
  Index r = 0;
  for (Index block = 0; block < blocks; ++block) {
    const Index size = block < longer ? least + 1 : least;
    block_of[static_cast<std::size_t>(size - 1)](
        {a.data + r * a.row, a.row, a.k}, b, ldb,
        {init.data ? init.data + r * init.row_stride : nullptr, init.row_stride}, c + r * ldc, ldc,
        K);
    r += size;
  }
}

// Columns in pairs of whole vectors, then single ones, then of half the width, ... to the last.
template <class V, class S>
void product_columns(const Strided<S>& a, const S* b, Initial<S> init, S* c, Index rows,
                     Index columns, Index K, Index done) {
  if (rows == 0 || done == columns) return;
  constexpr int width = Eigen::internal::unpacket_traits<V>::size;
  const auto take = [&]<int vectors>() {
    for (; done + vectors * width <= columns; done += vectors * width) {
      product_rows<V, vectors>(a, b + done, columns,
                               {init.data ? init.data + done : nullptr, init.row_stride}, c + done,
                               columns, rows, K);
    }
  };
  if constexpr (std::is_same_v<V, typename Eigen::internal::packet_traits<S>::type>) {
    // Few rows have too few sums in pairs of columns: four rows reach 61 % of the peak with AVX2,
    // five 91 %, and any number 87 % row by row, eight vectors of columns at a time. With AVX-512
    // four rows reach 64 %, five 93 %, and four with four vectors 78 %.
    constexpr Index enough = 5;
    if (rows / ceil_div(rows, block_rows(2)) < enough) {
      if constexpr (!many_registers) take.template operator()<8>();
      take.template operator()<4>();
    }
  }
  take.template operator()<2>();
  take.template operator()<1>();
  using Half = typename Eigen::internal::unpacket_traits<V>::half;
  if constexpr (!std::is_same_v<Half, V>) {
    product_columns<Half>(a, b, init, c, rows, columns, K, done);
  } else if constexpr (!std::is_same_v<S, V>) {
    product_columns<S>(a, b, init, c, rows, columns, K, done);
  }
}

}  // namespace detail

// C (rows, columns) = init + A (rows, K) B (K, columns); B and C row-major and dense.
template <class S>
void product(Strided<S> a, const S* b, Initial<S> init, S* c, Index rows, Index columns, Index K) {
  using Packet = typename Eigen::internal::packet_traits<S>::type;
  detail::product_columns<Packet>(a, b, init, c, rows, columns, K, Index{0});
}

}  // namespace pgfast
