// Counter-based random numbers, from Philox4x32-10 (philox.hpp).
//
// A draw is a pure function of (seed, purpose, stream, index): there is no state to hand from one
// thread to another, any draw can be made at any time, and two streams never overlap. The 64-bit
// seed is the cipher's key; the 128-bit counter is (index: 64 bits, stream: 32, purpose: 32).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "pgfast/arrays.hpp"
#include "pgfast/philox.hpp"

namespace pgfast {

// What a stream is for. An environment and a policy that share a seed share no numbers.
enum class Purpose : std::uint32_t {
  general = 0,
  environment = 1,
  action = 2,
  parameters = 3,
  features = 4,
  shuffle = 5
};

inline PhiloxBlock philox(std::uint64_t seed, Purpose purpose, std::uint32_t stream,
                          std::uint64_t index) {
  return philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream,
                 static_cast<std::uint32_t>(purpose)},
                static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

// Words that one draw of type S takes, and draws that one Philox block holds.
template <class S>
inline constexpr int words_per_draw = static_cast<int>(sizeof(S) / sizeof(std::uint32_t));
template <class S>
inline constexpr int draws_per_block = 4 / words_per_draw<S>;

// [0, 1) with all bits of the significand: 24 of float's, 53 of double's.
template <class S>
S uniform_from_words(const std::uint32_t* words) {
  if constexpr (std::is_same_v<S, float>) {
    return static_cast<float>(words[0] >> 8) * 0x1p-24f;
  } else {
    const std::uint64_t bits = (std::uint64_t{words[0]} << 32) | words[1];
    return static_cast<double>(bits >> 11) * 0x1p-53;
  }
}

// Draw `index` of a stream: word group `index mod draws` of block `index div draws`.
template <class S>
S uniform(std::uint64_t seed, Purpose purpose, std::uint32_t stream, std::uint64_t index) {
  constexpr auto draws = static_cast<std::uint64_t>(draws_per_block<S>);
  const PhiloxBlock block = philox(seed, purpose, stream, index / draws);
  return uniform_from_words<S>(block.data() + (index % draws) * words_per_draw<S>);
}

// Two normals from two uniforms (Box & Muller 1958): r = sqrt(-2 ln u), angle 2 pi v; u in (0, 1].
template <class S>
std::array<S, 2> normal_pair(S u, S v) {
  const S radius = std::sqrt(S{-2} * std::log(S{1} - u));
  const S angle = S(6.283185307179586476925286766559) * v;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

// out[i] = draw i of the stream; one Philox block for the draws that it holds.
template <class S>
void fill_uniform(std::uint64_t seed, Purpose purpose, std::uint32_t stream, S* out, Index count) {
  constexpr int draws = draws_per_block<S>;
  for (Index i = 0; i < count; i += draws) {
    const PhiloxBlock words = philox(seed, purpose, stream, static_cast<std::uint64_t>(i / draws));
    for (int j = 0; j < draws && i + j < count; ++j) {
      out[i + j] = uniform_from_words<S>(words.data() + j * words_per_draw<S>);
    }
  }
}

// Normals 2m and 2m + 1 come from uniforms 2m and 2m + 1.
template <class S>
void fill_normal(std::uint64_t seed, Purpose purpose, std::uint32_t stream, S* out, Index count) {
  for (Index i = 0; i < count; i += 2) {
    const auto m = static_cast<std::uint64_t>(i);
    const auto pair =
        normal_pair(uniform<S>(seed, purpose, stream, m), uniform<S>(seed, purpose, stream, m + 1));
    out[i] = pair[0];
    if (i + 1 < count) out[i + 1] = pair[1];
  }
}

}  // namespace pgfast
