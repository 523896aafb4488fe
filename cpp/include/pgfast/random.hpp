// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011).
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

using PhiloxBlock = std::array<std::uint32_t, 4>;

struct PhiloxConstants {
  static constexpr std::uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
  static constexpr std::uint32_t weyl[2] = {0x9E3779B9u, 0xBB67AE85u};
  static constexpr int rounds = 10;
};

inline PhiloxBlock philox(PhiloxBlock c, std::uint32_t k0, std::uint32_t k1) {
  using K = PhiloxConstants;
  for (int round = 0; round < K::rounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{K::multiplier[0]} * c[0];
    const std::uint64_t p1 = std::uint64_t{K::multiplier[1]} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += K::weyl[0];
    k1 += K::weyl[1];
  }
  return c;
}

inline PhiloxBlock philox(std::uint64_t seed, Purpose purpose, std::uint32_t stream,
                          std::uint64_t index) {
  return philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream,
                 static_cast<std::uint32_t>(purpose)},
                static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
}

// The same for W lanes, each with a counter c and a key k of its own: c becomes the results. Plain
// loops over lanes, which compilers turn into vector code.
template <int W>
void philox_lanes(std::uint32_t (&c)[4][W], std::uint32_t (&k)[2][W]) {
  using K = PhiloxConstants;
  for (int round = 0; round < K::rounds; ++round) {
    for (int l = 0; l < W; ++l) {
      const std::uint64_t p0 = std::uint64_t{K::multiplier[0]} * c[0][l];
      const std::uint64_t p1 = std::uint64_t{K::multiplier[1]} * c[2][l];
      c[0][l] = static_cast<std::uint32_t>(p1 >> 32) ^ c[1][l] ^ k[0][l];
      c[1][l] = static_cast<std::uint32_t>(p1);
      c[2][l] = static_cast<std::uint32_t>(p0 >> 32) ^ c[3][l] ^ k[1][l];
      c[3][l] = static_cast<std::uint32_t>(p0);
      k[0][l] += K::weyl[0];
      k[1][l] += K::weyl[1];
    }
  }
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

// One uniform for each of up to `tile_rows` neighbouring streams at the same index, in plain loops
// over lanes that compilers turn into vector code. A block holds the draws of several indices, so a
// rollout, which asks for index, index + 1, ... pays for Philox once in `draws_per_block` steps.
template <class S>
class StreamTile {
 public:
  StreamTile(std::uint64_t seed, Purpose purpose) : seed_(seed), purpose_(purpose) {}

  // out[l] = uniform(seed, purpose, first_stream + l, index), l < rows
  void uniforms(std::uint32_t first_stream, std::uint64_t index, S* out, Index rows) {
    constexpr auto draws = static_cast<std::uint64_t>(draws_per_block<S>);
    if (!filled_ || index / draws != block_ || first_stream != first_stream_) {
      refill(first_stream, index / draws);
    }
    constexpr int words = words_per_draw<S>;
    const auto first_word = static_cast<int>(index % draws) * words;
    for (Index l = 0; l < rows; ++l) {
      std::uint32_t w[2] = {words_[first_word][l], words_[(first_word + words - 1) % 4][l]};
      out[l] = uniform_from_words<S>(w);
    }
  }

 private:
  void refill(std::uint32_t first_stream, std::uint64_t block) {
    using K = PhiloxConstants;
    constexpr int W = static_cast<int>(tile_rows);
    std::uint32_t c[4][W];
    for (int l = 0; l < W; ++l) {
      c[0][l] = static_cast<std::uint32_t>(block);
      c[1][l] = static_cast<std::uint32_t>(block >> 32);
      c[2][l] = first_stream + static_cast<std::uint32_t>(l);
      c[3][l] = static_cast<std::uint32_t>(purpose_);
    }
    auto k0 = static_cast<std::uint32_t>(seed_);
    auto k1 = static_cast<std::uint32_t>(seed_ >> 32);
    for (int round = 0; round < K::rounds; ++round) {
      for (int l = 0; l < W; ++l) {
        const std::uint64_t p0 = std::uint64_t{K::multiplier[0]} * c[0][l];
        const std::uint64_t p1 = std::uint64_t{K::multiplier[1]} * c[2][l];
        c[0][l] = static_cast<std::uint32_t>(p1 >> 32) ^ c[1][l] ^ k0;
        c[1][l] = static_cast<std::uint32_t>(p1);
        c[2][l] = static_cast<std::uint32_t>(p0 >> 32) ^ c[3][l] ^ k1;
        c[3][l] = static_cast<std::uint32_t>(p0);
      }
      k0 += K::weyl[0];
      k1 += K::weyl[1];
    }
    for (int w = 0; w < 4; ++w) {
      for (int l = 0; l < W; ++l) words_[w][l] = c[w][l];
    }
    filled_ = true;
    block_ = block;
    first_stream_ = first_stream;
  }

  std::uint64_t seed_;
  Purpose purpose_;
  bool filled_ = false;
  std::uint64_t block_ = 0;
  std::uint32_t first_stream_ = 0;
  std::uint32_t words_[4][tile_rows];
};

}  // namespace pgfast
