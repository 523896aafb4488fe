// Mean and variance of the samples that count, and what is made of them.
//
// Everything is summed in double and in two passes, the mean and then the squares of what is left,
// each after the first sample has been taken away: a large mean costs no digits, and samples that
// are equal have no variance at all. A pass keeps eight interleaved sums for each block of samples,
// so that it is vector code, and adds the blocks in their order.
#pragma once

#include <cmath>
#include <limits>

#include "pgfast/parallel.hpp"

namespace pgfast {

// Sum of f(i) over the i in [0, n) with valid[i]; null: all.
template <class F>
double sum_of(Index n, const bool* valid, F&& f) {
  double total = 0;
  sum_over_blocks<double>(n, 1, &total, [&](Index begin, Index end, double* sum) {
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
      add([&](Index i) { return valid[i] ? f(i) : 0.0; });
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

// out = (a - mean) / deviation of the samples that count, 0 elsewhere. Where the deviation is no
// more than what S rounds the largest of them by, all are 0.
template <class S>
void normalize(const S* a, const bool* valid, Index n, S* out) {
  const Moments m = moments(n, valid, [&](Index i) { return static_cast<double>(a[i]); });
  S largest{0};
  for (Index i = 0; i < n; ++i) {
    const S size = valid && !valid[i] ? S{0} : std::abs(a[i]);
    largest = size > largest ? size : largest;
  }
  const double deviation = std::sqrt(m.variance);
  const bool noise =
      deviation <= static_cast<double>(std::numeric_limits<S>::epsilon()) * double{largest};
  for_each_block(n, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const double centred = static_cast<double>(a[i]) - m.first - m.mean;
      const bool zero = noise || (valid && !valid[i]);
      out[i] = zero ? S{0} : static_cast<S>(centred / deviation);
    }
  });
}

}  // namespace pgfast
