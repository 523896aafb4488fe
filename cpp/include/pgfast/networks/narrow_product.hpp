// Products with a matrix of few columns, whose rows fill no vector: a network's last layer, or the
// only one of a linear policy.
//
// Forward, lanes go along k. A block of rows x columns, as many elements as a vector has lanes, has
// a vector of partial sums for each:
//
//   acc[r][o] += x[r][k .. k + width) * w[o][k .. k + width)
//
// 2 rows of 8 columns load 2 + 8 vectors for 16 multiply-adds (AVX-512), where the general product
// loads 8 numbers and a vector for 8. Then `width` vectors of `width` lanes are summed by halves,
// in width - 1 additions and twice as many shuffles, into the one vector that stands in y: rows of
// few columns lie one behind the other. 64 x 8 for 32 rows takes 5.3 ns a row instead of 9.6
// (AVX2: 8.8 instead of 9.8), 64 x 2 takes 2.2 instead of 10.4.
//
// On the way back, the gradient is made as its transpose, whose rows are long, and turned.
#pragma once

#include "pgfast/networks/product.hpp"
#include "pgfast/transpose.hpp"

namespace pgfast {

namespace detail {

template <class V>
inline constexpr int vector_width = Eigen::internal::unpacket_traits<V>::size;
template <class S>
using Packet = typename Eigen::internal::packet_traits<S>::type;

}  // namespace detail

// Columns up to which this pays, measured against `product`, for K of 16 or more: where they fill
// one vector of 8 it still does, with one of 16 no longer.
template <class S>
inline constexpr Index narrow_columns = std::min(detail::vector_width<detail::Packet<S>>, 15);

namespace detail {

// a and b are cut into spans, those into units; the sums of neighbouring units, those of a's span
// first. With span 4 and unit 1: a0 + a1, a2 + a3, b0 + b1, b2 + b3, a4 + a5, ...
template <int unit, int span, class V>
EIGEN_STRONG_INLINE V add_neighbours(V a, V b) {
  constexpr auto lane = [](int l, int odd) {
    const int at = (2 * (l % span / unit) + odd) * unit + l % unit, first = l / span * span;
    return first + (at < span ? at : at - span + vector_width<V>);
  };
  return [&]<std::size_t... l>(std::index_sequence<l...>) {
    const V even = __builtin_shufflevector(a, b, lane(static_cast<int>(l), 0)...),
            odd = __builtin_shufflevector(a, b, lane(static_cast<int>(l), 1)...);
    return Eigen::internal::padd(even, odd);
  }(std::make_index_sequence<static_cast<std::size_t>(vector_width<V>)>());
}

// Vectors are made of parts of 16 bytes: shuffles of whole parts and shuffles within them are
// single instructions.
template <class S>
inline constexpr int part_width = 16 / static_cast<int>(sizeof(S));

// Where the vector stands whose sum becomes lane l of `sums`.
template <class S, class V>
constexpr int sum_order(int l) {
  constexpr int parts = vector_width<V> / part_width<S>;
  return l % part_width<S> * parts + l / part_width<S>;
}

// The sums of `count` vectors' lanes, as many as one has; v is used up. Each is added up in the
// same order: first whole parts, then within them.
template <class S, int count, class V>
EIGEN_STRONG_INLINE V sums(V* v) {
  if constexpr (count == 1) {
    return v[0];
  } else {
    constexpr bool whole_parts = count > part_width<S>;
    constexpr int unit = whole_parts ? part_width<S> : 1,
                  span = whole_parts ? vector_width<V> : part_width<S>;
#pragma GCC unroll 8
    for (int i = 0; i < count / 2; ++i) v[i] = add_neighbours<unit, span>(v[2 * i], v[2 * i + 1]);
    return sums<S, count / 2>(v);
  }
}

// `narrow_product` for a number of columns.
template <int columns, class S>
[[gnu::noinline]] void narrow_rows(const S* a, const S* packed, Initial<S> init, S* y, Index rows,
                                   Index K) {
  namespace packet = Eigen::internal;
  using V = Packet<S>;
  constexpr int width = vector_width<V>, R = width / columns;
  const Index whole = K / width * width;
  S start[width] = {}, ends[R][width] = {};
  for (int l = 0; init.row_stride == 0 && l < R * columns; ++l) start[l] = init.data[l % columns];
  for (Index first = 0; first < rows; first += R) {
    const int used = static_cast<int>(std::min<Index>(R, rows - first));
    const S* row[R];  // where fewer are left, the last of them again
    V x[R], acc[width];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) row[r] = a + (first + std::min(r, used - 1)) * K;
#pragma GCC unroll 16
    for (V& sum : acc) sum = packet::pset1<V>(S{0});
    const auto add = [&](const S* w) {
#pragma GCC unroll 16
      for (int o = 0; o < columns; ++o) {
        V w_o = packet::pload<V>(w + o * width);
#ifdef __SSE2__
        // Read once, not with each multiply-add: the loads are what bounds a block.
        if constexpr (R > 1) asm("" : "+v"(w_o));
#endif
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
          V& sum = acc[sum_order<S, V>(r * columns + o)];
          sum = multiply_add(x[r], w_o, sum);
        }
      }
    };
    const S* w = packed;
    for (Index k = 0; k < whole; k += width, w += columns * width) {
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) x[r] = packet::ploadu<V>(row[r] + k);
      add(w);
    }
    if (whole < K) {
      for (int r = 0; r < R; ++r) {
        std::copy(row[r] + whole, row[r] + K, ends[r]);
        x[r] = packet::ploadu<V>(ends[r]);
      }
      add(w);
    }
    S* of_block = y + first * columns;
    if (init.row_stride != 0) std::copy_n(init.data + first * columns, used * columns, start);
    const V z = packet::padd(packet::ploadu<V>(start), sums<S, width>(acc));
    if (R * columns == width && used == R) {
      packet::pstoreu(of_block, z);
    } else {
      S all[width];
      packet::pstoreu(all, z);
      std::copy_n(all, used * columns, of_block);
    }
  }
}

}  // namespace detail

// B (K, columns) as `narrow_product` reads it: (k blocks, columns, width), zeros behind K.
template <class S>
void pack_narrow(const S* b, Index K, Index columns, Buffer<S>& packed) {
  constexpr Index width = detail::vector_width<detail::Packet<S>>;
  packed.setZero(ceil_div(K, width) * columns * width);
  for (Index k = 0; k < K; k += width) {
    transpose(b + k * columns, columns, std::min(width, K - k), columns,
              packed.data() + k * columns, width);
  }
}

// y (rows, columns) = init + A B for 1 to `narrow_columns` columns and B as `pack_narrow` packs it;
// A is dense, y too; `init` is one row, or as many and as dense as y, which it may be.
template <class S>
void narrow_product(const S* a, const S* packed, Initial<S> init, S* y, Index rows, Index columns,
                    Index K) {
  if (rows == 0) return;
  static constexpr auto rows_of = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array{&detail::narrow_rows<static_cast<int>(i) + 1, S>...};
  }(std::make_index_sequence<static_cast<std::size_t>(narrow_columns<S>)>());
  rows_of[static_cast<std::size_t>(columns - 1)](a, packed, init, y, rows, K);
}

// gradient (K, columns) += A' dy for dy (rows, columns). `work` has room for (columns, K).
template <class S>
void narrow_gradient(const S* a, const S* dy, S* gradient, Index rows, Index columns, Index K,
                     S* work) {
  if (columns == 1) {
    return product<S>({dy, 1, 1}, a, {gradient, K}, gradient, 1, K, rows);
  }
  product<S>({dy, 1, columns}, a, {}, work, columns, K, rows);
  add_transpose(work, columns, K, gradient);
}

}  // namespace pgfast
