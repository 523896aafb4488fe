// exp x of lanes that are not above 0: differences to a largest logit, negative squared distances.
//
// With n the integer nearest to x / ln 2 and r = x - n ln 2 in [-ln 2 / 2, ln 2 / 2],
//
//   exp x = 2^n exp r,   exp r = 1 + r + r^2 (c2 + c3 r + c4 r^2 + c5 r^3 + c6 r^4)
//
// whose relative error is 3.1e-9 (Remez' algorithm, the first two coefficients held at 1). ln 2 is
// taken off in two parts, of which the first has 9 bits, so that n times it is exact. Rounding
// included, results are within 2 units of 2^-24, relative. As n is never above 0, 2^n is its
// exponent's bits; an exponential of any float has to scale twice and takes twice as long
// (Eigen's). Float64 goes to Eigen.
//
// Down to -87 (-708) results are normal numbers; below it is 0, so that it times anything finite is
// 0. NaN stays.
#pragma once

#include <bit>
#include <cstdint>

#include "pgfast/arrays.hpp"

namespace pgfast {

template <int W>
EIGEN_STRONG_INLINE Lanes<double, W> exp_nonpositive(const Lanes<double, W>& x) {
  constexpr double lowest = -708;
  Lanes<double, W> e = x.exp();
  for (int l = 0; l < W; ++l) e[l] = x[l] < lowest ? 0.0 : e[l];
  return e;
}

template <int W>
EIGEN_STRONG_INLINE Lanes<float, W> exp_nonpositive(const Lanes<float, W>& x) {
  constexpr float lowest = -87.0f, per_ln2 = 0x1.715476p0f;
  constexpr float to_integer = 0x1.8p23f;  // x + to_integer has round(x) in its last bits
  constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;
  constexpr float c2 = 0x1.fffffcp-2f, c3 = 0x1.555492p-3f, c4 = 0x1.5558f2p-5f,
                  c5 = 0x1.1239d4p-7f, c6 = 0x1.6a244cp-10f;
  constexpr std::uint32_t one = 0x3f800000u;

  Lanes<float, W> e;
  for (int l = 0; l < W; ++l) {
    const float shifted = x[l] * per_ln2 + to_integer, n = shifted - to_integer;
    const float r = (x[l] - n * ln2_high) - n * ln2_low;
    const float exp_r = 1.0f + r * (1.0f + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * c6)))));
    const float power = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + one);
    e[l] = x[l] < lowest ? 0.0f : power * exp_r;
  }
  return e;
}

}  // namespace pgfast
