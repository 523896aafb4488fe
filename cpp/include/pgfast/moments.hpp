// Mean and variance of the samples that count, and what is made of them.
//
// Everything is summed in double and in two passes, the mean and then the squares of what is left,
// each after the first sample has been taken away: a large mean costs no digits, and samples that
// are equal have no variance at all. A pass keeps eight interleaved sums for each block of samples,
// so that it is vector code, and adds the blocks in their order. What does not count plays no part,
// whatever it holds.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "pgfast/parallel.hpp"

namespace pgfast {

// Nanoseconds of a pass, for each element.
inline constexpr double element_ns = 0.3;

// Sum of f(i) over the i in [0, n) with valid[i]; null: all.
template <class F>
double sum_of(Index n, const bool* valid, F&& f) {
  double total = 0;
  sum_over_blocks<double>(n, element_ns, 1, &total, [&](Index begin, Index end, double* sum) {
    constexpr Index width = 8;
    double partial[width] = {};
    const auto add = [&](auto&& term) {
      Index i = begin;
      for (; i + width <= end; i += width) {
        for (Index j = 0; j < width; ++j) partial[j] += term(i + j);
      }
      for (Index j = 0; i + j < end; ++j) partial[j] += term(i + j);
    };
    if (valid) {
      const std::uint8_t* counts = bytes(valid);
      add([&](Index i) {
        const double x = f(i);  // all are read, so that this is a vector and a mask
        return counts[i] ? x : 0.0;
      });
    } else {
      add(f);
    }
    for (const double part : partial) *sum += part;
  });
  return total;
}

struct Moments {
  Index count = 0;
  double first = 0;     // the first sample that counts
  double mean = 0;      // of what lies above it: the samples' mean is first + mean
  double variance = 0;  // with `count` below
};

// Of the samples f(i) that count; f gives double.
template <class F>
Moments moments(Index n, const bool* valid, F&& f) {
  Moments m;
  m.count = valid ? count_set(valid, 0, n) : n;
  if (m.count == 0) return m;
  Index i = 0;
  while (valid && !valid[i]) ++i;
  m.first = f(i);
  const auto count = static_cast<double>(m.count);
  m.mean = sum_of(n, valid, [&](Index k) { return f(k) - m.first; }) / count;
  m.variance = sum_of(n, valid,
                      [&](Index k) {
                        const double left = f(k) - m.first - m.mean;
                        return left * left;
                      }) /
               count;
  return m;
}

// 1 - Var(y - v) / Var(y); 0 where y does not vary.
template <class S>
double explained_variance(const S* values, const S* targets, const bool* valid, Index n) {
  const auto target = [&](Index i) { return static_cast<double>(targets[i]); };
  const Moments y = moments(n, valid, target);
  if (y.variance == 0) return 0;
  const Moments residual =
      moments(n, valid, [&](Index i) { return target(i) - static_cast<double>(values[i]); });
  return 1 - residual.variance / y.variance;
}

// The largest |a_i| of those that count, NaN passed over. In lanes: one comparison after the other
// would take 3 ns each.
template <class S>
S largest_of(const S* a, const bool* valid, Index n) {
  S lanes[chunk] = {};
  const auto larger = [](S x, S y) { return x > y ? x : y; };
  const auto take = [&](auto&& size_of) {
    Index i = 0;
    for (; i + chunk <= n; i += chunk) {
      for (Index lane = 0; lane < chunk; ++lane) {
        lanes[lane] = larger(size_of(i + lane), lanes[lane]);
      }
    }
    for (; i < n; ++i) lanes[0] = larger(size_of(i), lanes[0]);
  };
  if (valid) {
    const std::uint8_t* counts = bytes(valid);
    take([&](Index i) {
      const S size = std::abs(a[i]);
      return counts[i] ? size : S{0};
    });
  } else {
    take([&](Index i) { return std::abs(a[i]); });
  }
  return std::accumulate(lanes, lanes + chunk, S{0}, larger);
}

// out = (a - mean) / deviation of the samples that count, 0 elsewhere. Where the deviation is no
// more than what S rounds the largest of them by, all are 0.
template <class S>
void normalize(const S* a, const bool* valid, Index n, S* out) {
  const Moments m = moments(n, valid, [&](Index i) { return static_cast<double>(a[i]); });
  const S largest = largest_of(a, valid, n);
  const double deviation = std::sqrt(m.variance);
  if (deviation <= static_cast<double>(std::numeric_limits<S>::epsilon()) * double{largest}) {
    std::fill_n(out, n, S{0});
    return;
  }
  const auto normalized = [&](Index i) {
    return static_cast<S>((static_cast<double>(a[i]) - m.first - m.mean) / deviation);
  };
  for_each_block(n, element_ns, [&](Index begin, Index end) {
    if (valid) {
      const std::uint8_t* counts = bytes(valid);
      for (Index i = begin; i < end; ++i) {
        const S x = normalized(i);
        out[i] = counts[i] ? x : S{0};
      }
    } else {
      for (Index i = begin; i < end; ++i) out[i] = normalized(i);
    }
  });
}

}  // namespace pgfast
