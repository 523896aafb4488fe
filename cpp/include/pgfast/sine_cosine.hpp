// Sine and cosine of lanes, both from one range reduction.
//
// With q the integer nearest to |x| 2/pi and r = |x| - q pi/2 in [-pi/4, pi/4] the two are +-sin r
// and +-cos r, changed over where q is odd. In float32 these are minimax polynomials
//
//   sin r = r + r^3 (s1 + s2 r^2 + s3 r^4)             relative error 4e-9
//   cos r = 1 - r^2 / 2 + r^4 (c2 + c3 r^2 + c4 r^4)   relative error 2e-10
//
// and pi/2 is taken off in four parts (Cody & Waite 1980): the first three have 13 bits, so that q
// times each is exact for q < 2^11, with and without fused multiply-adds, and what is lost where
// the second is subtracted is added again. All results are within 2 units in the last place. Lanes
// beyond, and float64, go to the standard library one by one.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "pgfast/arrays.hpp"

namespace pgfast {

template <class S, int W>
struct SineCosine {
  Lanes<S, W> sine, cosine;
};

template <int W>
EIGEN_STRONG_INLINE SineCosine<double, W> sine_cosine(const Lanes<double, W>& x) {
  return {x.sin(), x.cos()};
}

template <int W>
EIGEN_STRONG_INLINE SineCosine<float, W> sine_cosine(const Lanes<float, W>& x) {
  constexpr float two_over_pi = 0x1.45f306p-1f, limit = 3200.0f;
  constexpr float to_integer = 0x1.8p23f;  // x + to_integer has round(x) in its last bits
  constexpr float p1 = 0x1.922p0f, p2 = -0x1.2afp-18f, p3 = 0x1.0b4p-34f, p4 = 0x1.84698ap-48f;
  constexpr float s1 = -0.16666655f, s2 = 0.008332159f, s3 = -0.00019515124f;
  constexpr float c2 = 0.041666646f, c3 = -0.0013887314f, c4 = 2.4432975e-05f;
  constexpr std::uint32_t sign = 0x80000000u;

  SineCosine<float, W> out;
  std::uint32_t beyond = 0;
  for (int l = 0; l < W; ++l) {
    const float a = std::abs(x[l]);
    const float shifted = a * two_over_pi + to_integer;
    const auto quadrant = std::bit_cast<std::uint32_t>(shifted);
    const float q = shifted - to_integer;
    const float high = a - q * p1, middle = high - q * p2;  // the first is exact
    const float low = ((high - middle) - q * p2) - q * p3 - q * p4;
    const float r = middle + low, r2 = r * r;
    const float sin_r = r + r * r2 * (s1 + r2 * (s2 + r2 * s3));
    const float cos_r = (1.0f - 0.5f * r2) + r2 * r2 * (c2 + r2 * (c3 + r2 * c4));
    const bool odd = (quadrant & 1u) != 0;
    const auto sine_sign = (std::bit_cast<std::uint32_t>(x[l]) & sign) ^ (quadrant << 30 & sign);
    const auto cosine_sign = (quadrant + 1u) << 30 & sign;
    out.sine[l] =
        std::bit_cast<float>(std::bit_cast<std::uint32_t>(odd ? cos_r : sin_r) ^ sine_sign);
    out.cosine[l] =
        std::bit_cast<float>(std::bit_cast<std::uint32_t>(odd ? sin_r : cos_r) ^ cosine_sign);
    beyond |= static_cast<std::uint32_t>(!(a < limit));
  }
  if (beyond) [[unlikely]] {
    for (int l = 0; l < W; ++l) {
      if (std::abs(x[l]) < limit) continue;
      out.sine[l] = std::sin(x[l]);
      out.cosine[l] = std::cos(x[l]);
    }
  }
  return out;
}

}  // namespace pgfast
