// Sums of products of regressors: X'X and X' diag(w) X of many rows.
//
// Both are symmetric: what is below the diagonal is computed, in strips of two vectors of columns
// from the strip's first row on, and then mirrored. That is half the work of a product. An element
// is one chain of multiply-adds over the rows, in their order; X'X has the bits of the product.
#pragma once

#include <algorithm>

#include "pgfast/networks/product.hpp"
#include "pgfast/parallel.hpp"

namespace pgfast {

namespace detail {

// sum (size, size) += left' right, both (rows, size), where it is symmetric: on and below the
// diagonal, and somewhat above it.
inline void add_gram(const double* left, const double* right, Index rows, Index size, double* sum) {
  using V = Eigen::internal::packet_traits<double>::type;
  constexpr Index strip = 2 * Eigen::internal::unpacket_traits<V>::size;
  Index c = 0;
  for (; c + strip <= size; c += strip) {
    double* corner = sum + c * size + c;
    product_rows<V, 2, double>({left + c, 1, size}, right + c, size, {corner, size}, corner, size,
                               size - c, rows);
  }
  double* last = sum + c * size;
  product_columns<V, double>({left + c, 1, size}, right, {last, size}, last, size - c, size, rows,
                             c);
}

inline void mirror_lower(double* matrix, Index size) {
  for (Index i = 0; i < size; ++i) {
    for (Index j = i + 1; j < size; ++j) matrix[i * size + j] = matrix[j * size + i];
  }
}

}  // namespace detail

// out (P, P) = sum_b w_b x_b x_b' of rows x (B, P): the Fisher matrix where x are scores.
inline void weighted_gram(const double* x, const double* weights, Index batch, Index size,
                          double* out) {
  constexpr Index tile = 64;  // 65 KiB where P is 130, beside the sums in the second cache
  if (size == 0) return;
  const auto row_ns = static_cast<double>(1 + size + size * size / 32);
  sum_over_blocks(batch, row_ns, size * size, out, [&](Index begin, Index end, double* sum) {
    Buffer<double> weighted(tile * size);
    for (Index first = begin; first < end; first += tile) {
      const Index rows = std::min(tile, end - first);
      const double* x_first = x + first * size;
      for (Index r = 0; r < rows; ++r) {
        const double w = weights[first + r];
        for (Index j = 0; j < size; ++j) weighted[r * size + j] = w * x_first[r * size + j];
      }
      detail::add_gram(x_first, weighted.data(), rows, size, sum);
    }
  });
  detail::mirror_lower(out, size);
}

}  // namespace pgfast
