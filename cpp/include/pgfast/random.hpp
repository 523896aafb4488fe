// Counter-based random numbers, from Philox4x32-10 (philox.hpp).
//
// A draw is a pure function of (seed, purpose, stream, index): there is no state to hand from one
// thread to another, any draw can be made at any time, and two streams never overlap. The 64-bit
// seed is the cipher's key; the 128-bit counter is (index: 64 bits, stream: 32, purpose: 32).
#pragma once

#include <algorithm>
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

// The draws of this many Philox blocks of one stream, made together: a block takes 3 ns, alone 10.
inline constexpr Index blocks_ahead = 32;
template <class S>
inline constexpr Index draws_ahead = blocks_ahead * draws_per_block<S>;

// out[i] = draw `first` + i of the stream, i < draws_ahead; `first` is a block's first draw.
template <class S>
void fill_ahead(std::uint64_t seed, Purpose purpose, std::uint32_t stream, std::uint64_t first,
                S* out) {
  constexpr int draws = draws_per_block<S>, n = words_per_draw<S>;
  std::uint32_t words[4][blocks_ahead], keys[2][blocks_ahead];
  for (Index l = 0; l < blocks_ahead; ++l) {
    const std::uint64_t block = first / draws + static_cast<std::uint64_t>(l);
    words[0][l] = static_cast<std::uint32_t>(block);
    words[1][l] = static_cast<std::uint32_t>(block >> 32);
    words[2][l] = stream;
    words[3][l] = static_cast<std::uint32_t>(purpose);
    keys[0][l] = static_cast<std::uint32_t>(seed);
    keys[1][l] = static_cast<std::uint32_t>(seed >> 32);
  }
  philox_lanes(words, keys);
  for (Index l = 0; l < blocks_ahead; ++l) {
    for (int j = 0; j < draws; ++j) {
      const std::uint32_t w[2] = {words[j * n][l], words[j * n + n - 1][l]};
      out[l * draws + j] = uniform_from_words<S>(w);
    }
  }
}

// out[i] = draw i of the stream
template <class S>
void fill_uniform(std::uint64_t seed, Purpose purpose, std::uint32_t stream, S* out, Index count) {
  Index i = 0;
  for (; i + draws_ahead<S> <= count; i += draws_ahead<S>) {
    fill_ahead(seed, purpose, stream, static_cast<std::uint64_t>(i), out + i);
  }
  if (i == count) return;
  S rest[draws_ahead<S>];
  fill_ahead(seed, purpose, stream, static_cast<std::uint64_t>(i), rest);
  std::copy_n(rest, count - i, out + i);
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
