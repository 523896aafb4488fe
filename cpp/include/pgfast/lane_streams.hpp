// The lanes of a block of environments: sets and masks of them, and their random streams.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "pgfast/random.hpp"
#include "pgfast/vector_env.hpp"

namespace pgfast {

// Some of a block's lanes, lane l as bit l.
using LaneSet = std::uint32_t;
static_assert(env_lanes == 32 && std::endian::native == std::endian::little);

// The lanes whose flag, 0 or 1, is set: eight at a time, a product gathers their bits.
inline LaneSet set_of(const std::uint8_t (&flags)[env_lanes]) {
  LaneSet set = 0;
  for (Index l = 0; l < env_lanes; l += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, flags + l, sizeof eight);
    set |= static_cast<LaneSet>(eight * 0x0102040810204080u >> 56) << l;
  }
  return set;
}

// f(lane) for each, in order.
template <class F>
void for_each_lane(LaneSet set, F&& f) {
  for (; set != 0; set &= set - 1) f(static_cast<Index>(std::countr_zero(set)));
}

// One flag of every lane of a block, 0 or 1.
using LaneFlags = std::uint8_t[env_lanes];

// Whether one is set; looks at eight at a time.
inline bool any_set(const LaneFlags& flags) {
  std::uint64_t all[env_lanes / 8];
  std::memcpy(all, flags, sizeof all);
  return (all[0] | all[1] | all[2] | all[3]) != 0;
}

// Flags as wide as the numbers that they select: all bits set, or none.
template <class S>
struct LaneMask {
  std::conditional_t<sizeof(S) == 4, std::int32_t, std::int64_t> bits[env_lanes];
  explicit LaneMask(const LaneFlags& flags) {
    for (Index l = 0; l < env_lanes; ++l) bits[l] = -flags[l];
  }

  // to = from in these lanes, column by column: vector code, no branch for a lane.
  template <class State>
  void select(const State& from, State& to) const {
    for (Index k = 0; k < to.cols(); ++k) {
      const S* source = &from(0, k);
      S* target = &to(0, k);
      for (Index l = 0; l < env_lanes; ++l) {
        const S there = source[l], here = target[l];
        target[l] = bits[l] != 0 ? there : here;
      }
    }
  }
};

// Philox blocks of a block's lanes, word w of lane l in words[w][l].
using LaneWords = std::uint32_t[4][env_lanes];

// The random streams of a block's lanes, neighbours: seeds, the first lane's stream, and how many
// Philox blocks were drawn from each. All 32 lanes' next blocks cost as much as 7 made one by one
// (AVX2).
struct LaneStreams {
  std::uint32_t first = 0;
  std::uint32_t seeds[2][env_lanes] = {};  // the low halves, the high ones
  std::uint64_t counters[env_lanes] = {};

  std::uint32_t stream(Index lane) const { return first + static_cast<std::uint32_t>(lane); }
  std::uint64_t seed(Index lane) const {
    return std::uint64_t{seeds[1][lane]} << 32 | seeds[0][lane];
  }
  void set(Index lane, std::uint64_t seed, std::uint64_t counter) {
    seeds[0][lane] = static_cast<std::uint32_t>(seed);
    seeds[1][lane] = static_cast<std::uint32_t>(seed >> 32);
    counters[lane] = counter;
  }
  // Some lanes have drawn so many blocks. By masks: choosing between them and 0, GCC makes a loop
  // with a branch for each lane.
  void advance(const LaneFlags& lanes, std::uint64_t blocks) {
    for (Index l = 0; l < env_lanes; ++l) {
      counters[l] += (std::uint64_t{0} - std::uint64_t{lanes[l]}) & blocks;
    }
  }
  // The block of every lane that comes `later` blocks after the next one.
  void next(LaneWords& words, std::uint64_t later = 0) const {
    std::uint32_t keys[2][env_lanes];
    for (Index l = 0; l < env_lanes; ++l) {
      words[0][l] = static_cast<std::uint32_t>(counters[l] + later);
      words[1][l] = static_cast<std::uint32_t>((counters[l] + later) >> 32);
      words[2][l] = stream(l);
      words[3][l] = static_cast<std::uint32_t>(Purpose::environment);
      keys[0][l] = seeds[0][l];
      keys[1][l] = seeds[1][l];
    }
    philox_lanes(words, keys);
  }
};

// The numbers of one environment: whole Philox blocks.
struct EnvDraws {
  std::uint64_t seed;
  std::uint32_t stream;
  std::uint64_t counter;

  template <class S, std::size_t n>
  void uniforms(S (&out)[n]) {
    constexpr int draws = draws_per_block<S>;
    for (std::size_t i = 0; i < n; i += draws) {
      const PhiloxBlock words = philox(seed, Purpose::environment, stream, counter++);
      for (std::size_t j = 0; j < draws && i + j < n; ++j) {
        out[i + j] = uniform_from_words<S>(words.data() + j * words_per_draw<S>);
      }
    }
  }
};

// Philox blocks that make a lane's next start ahead, four draws at most. An environment whose reset
// draws more blocks makes its starts one by one.
template <class S>
inline constexpr int start_blocks = words_per_draw<S>;

// The numbers of one environment, from blocks that all lanes drew together.
template <class S>
struct EnvDrawsAhead {
  const LaneWords (&words)[start_blocks<S>];
  Index lane;
  int block = 0;  // the next one

  template <std::size_t n>
  void uniforms(S (&out)[n]) {
    constexpr int draws = draws_per_block<S>;
    for (std::size_t i = 0; i < n; i += draws, ++block) {
      const LaneWords& all = words[block];
      const std::uint32_t own[4] = {all[0][lane], all[1][lane], all[2][lane], all[3][lane]};
      for (std::size_t j = 0; j < draws && i + j < n; ++j) {
        out[i + j] = uniform_from_words<S>(own + j * words_per_draw<S>);
      }
    }
  }
};

// The streams of a block's lanes, for environments that draw in every step. A lane that waits for a
// reset is shown numbers, too, but its stream stays where it is.
template <class S>
class LaneDraws {
 public:
  using Uniforms = Lanes<S, env_lanes>[draws_per_block<S>];

  LaneDraws(LaneStreams& streams, const LaneFlags& waiting)
      : streams_(streams), waiting_(waiting) {}

  // One Philox block of every lane: out[i][l] is its draw i, as EnvDraws::uniforms gives it.
  void uniforms(Uniforms& out) {
    constexpr int words = words_per_draw<S>;
    LaneWords c;
    streams_.next(c);
    for (Index l = 0; l < env_lanes; ++l) streams_.counters[l] += 1u - waiting_[l];
    for (int i = 0; i < draws_per_block<S>; ++i) {
      for (Index l = 0; l < env_lanes; ++l) {
        const std::uint32_t w[2] = {c[i * words][l], c[i * words + words - 1][l]};
        out[i][l] = uniform_from_words<S>(w);
      }
    }
  }

 private:
  LaneStreams& streams_;
  const LaneFlags& waiting_;
};

}  // namespace pgfast
