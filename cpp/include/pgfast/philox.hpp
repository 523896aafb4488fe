// Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC
// 2011): a cipher that makes four random words of a counter of four and a key of two. Ten rounds of
//
//   p = m0 c0,  q = m1 c2                                  in 64 bits
//   c <- (high(q) ^ c1 ^ k0, low(q), high(p) ^ c3 ^ k1, low(p)),   k <- k + w
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace pgfast {

using PhiloxBlock = std::array<std::uint32_t, 4>;

struct PhiloxConstants {
  static constexpr std::uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
  static constexpr std::uint32_t weyl[2] = {0x9E3779B9u, 0xBB67AE85u};
  static constexpr int rounds = 10;
};

inline PhiloxBlock philox(PhiloxBlock c, std::uint32_t k0, std::uint32_t k1) {
  using K = PhiloxConstants;
  for (int round = 0; round < K::rounds; ++round) {
    const std::uint64_t p = std::uint64_t{K::multiplier[0]} * c[0];
    const std::uint64_t q = std::uint64_t{K::multiplier[1]} * c[2];
    c = {static_cast<std::uint32_t>(q >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(q),
         static_cast<std::uint32_t>(p >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p)};
    k0 += K::weyl[0];
    k1 += K::weyl[1];
  }
  return c;
}

namespace detail {

// A vector of 64-bit lanes.
#if defined(__AVX512F__)
using WideLanes __attribute__((vector_size(64))) = std::uint64_t;
#elif defined(__AVX2__)
using WideLanes __attribute__((vector_size(32))) = std::uint64_t;
#else
using WideLanes __attribute__((vector_size(16))) = std::uint64_t;
#endif

// The products of the low halves, for which x86 has one instruction that GCC 12 doesn't find.
inline WideLanes low_product(WideLanes x, WideLanes y) {
#if defined(__AVX512F__)
  return WideLanes(_mm512_mul_epu32(__m512i(x), __m512i(y)));
#elif defined(__AVX2__)
  return WideLanes(_mm256_mul_epu32(__m256i(x), __m256i(y)));
#elif defined(__SSE2__)
  return WideLanes(_mm_mul_epu32(__m128i(x), __m128i(y)));
#else
  return (x & 0xffffffffu) * (y & 0xffffffffu);
#endif
}

}  // namespace detail

// The same for W lanes, each with a counter c and a key k of its own: c becomes the results.
//
// A word is the low half of a 64-bit lane; what the high half holds plays no part, so nothing is
// masked or shuffled between the rounds. A vector of words is one of the even words as it stands,
// and one of the odd words when it is shifted; both go through all rounds in registers. 32 lanes
// take 96 ns with AVX2; plain loops over 32-bit words, whose products GCC shuffles together and
// apart, 250.
template <int W>
void philox_lanes(std::uint32_t (&c)[4][W], const std::uint32_t (&k)[2][W]) {
  using K = PhiloxConstants;
  using detail::WideLanes;
  constexpr int words = sizeof(WideLanes) / sizeof(std::uint32_t);
  static_assert(W % words == 0);
  struct Pair {
    WideLanes even, odd;
    explicit Pair(const std::uint32_t* from) {
      std::memcpy(&even, from, sizeof even);
      odd = even >> 32;
    }
    void store(std::uint32_t* to) const {
      const WideLanes both = (even & 0xffffffffu) | odd << 32;
      std::memcpy(to, &both, sizeof both);
    }
  };
  const WideLanes m0 = WideLanes{} + K::multiplier[0], m1 = WideLanes{} + K::multiplier[1];
  const auto round = [&](WideLanes& c0, WideLanes& c1, WideLanes& c2, WideLanes& c3, WideLanes& k0,
                         WideLanes& k1) {
    const WideLanes p = detail::low_product(c0, m0), q = detail::low_product(c2, m1);
    c0 = (q >> 32) ^ (c1 ^ k0);
    c1 = q;
    c2 = (p >> 32) ^ (c3 ^ k1);
    c3 = p;
    k0 += K::weyl[0];
    k1 += K::weyl[1];
  };
  for (int l = 0; l < W; l += words) {
    Pair c0(c[0] + l), c1(c[1] + l), c2(c[2] + l), c3(c[3] + l), k0(k[0] + l), k1(k[1] + l);
    for (int i = 0; i < K::rounds; ++i) {
      round(c0.even, c1.even, c2.even, c3.even, k0.even, k1.even);
      round(c0.odd, c1.odd, c2.odd, c3.odd, k0.odd, k1.odd);
    }
    c0.store(c[0] + l);
    c1.store(c[1] + l);
    c2.store(c[2] + l);
    c3.store(c[3] + l);
  }
}

}  // namespace pgfast
