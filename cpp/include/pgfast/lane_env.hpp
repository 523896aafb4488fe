// Environments over lanes.
//
// An environment is written once as arithmetic on `env_lanes` copies of itself (envs/*.hpp): a
// state is Array<S, 32, K>, one column per variable, so that a step of float32 stays in two AVX-512
// or four AVX2 registers per variable. LaneEnv turns it into a batch of any size: blocks of 32,
// with time limits, autoreset and random streams. The last block's unused lanes are computed and
// ignored.
//
// What an environment has:
//
//   Scalar, Action              float or double; DiscreteAction or Scalar
//   State, Observation          Array<S, 32, K>, Array<S, 32, D>
//   Actions                     Array<S, 32, A>, where an action is a row of numbers
//   reset(state, lane, draws)   begins an episode in one lane: writes its whole state, from as many
//                               draws each time; a template, for two kinds of draws
//   step(state, actions, rewards, terminated)
//                               all lanes at once; discrete actions are an array of 32
//   observe(state)              an Observation, or an expression over the state
//
// and what only some have: `step_ns`, what a step takes where that is much more than CartPole's 3;
// `random_steps`, true, and LaneDraws as the last argument of step; valid(
// row), where not every row of numbers is a state. A size that is known only at run time is
// Eigen::Dynamic in the type and state_size(), observation_size() or action_size(); then
// state_columns() is how many columns a State has, those behind state_size() being work space.
//
// Environment i's numbers come from the stream (seed_i, i) alone: it does not depend on the size of
// the batch, on its neighbours or on the thread that runs it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "pgfast/random.hpp"
#include "pgfast/vector_env.hpp"

namespace pgfast {

// Some of a block's lanes, lane l as bit l.
using LaneSet = std::uint32_t;
static_assert(env_lanes == 32 && std::endian::native == std::endian::little);

inline LaneSet first_lanes(Index count) { return ~LaneSet{0} >> (env_lanes - count); }  // count > 0

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
// Philox blocks were drawn from each. All 32 lanes' next blocks cost as much as 16 made one by one.
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

// How many blocks a lane's stream is drawn ahead: the more, the fewer of them are drawn twice,
// because all lanes draw where one has used up its own. (Steps of CartPoles with random actions
// take 4.08 ns with one, 4.0 with two.)
template <class S>
inline constexpr int blocks_ahead = 2 * words_per_draw<S>;

// The numbers of one environment, from blocks that all lanes drew together.
template <class S>
struct EnvDrawsAhead {
  const LaneWords (&words)[blocks_ahead<S>];
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

// An environment's continuous actions as lanes; discrete ones need none.
template <class Env, bool discrete>
struct ActionLanes {};
template <class Env>
struct ActionLanes<Env, false> {
  typename Env::Actions actions;
};

template <class Env>
class LaneEnv final : public VectorEnv<typename Env::Scalar, typename Env::Action> {
 public:
  using S = typename Env::Scalar;
  using Action = typename Env::Action;
  static constexpr bool discrete = std::is_same_v<Action, DiscreteAction>;
  static constexpr bool random_steps = requires { requires Env::random_steps; };

  LaneEnv(Env env, Index num_envs, Index max_episode_steps)
      : env_(std::move(env)),
        num_envs_(num_envs),
        max_episode_steps_(max_episode_steps),
        blocks_(static_cast<std::size_t>(ceil_div(num_envs, env_lanes)), Block(env_)) {
    if constexpr (!random_steps) {
      typename Env::State state = Env::State::Zero(env_lanes, columns(env_));
      EnvDraws draws{0, 0, 0};
      env_.reset(state, 0, draws);
      reset_blocks_ = static_cast<int>(draws.counter);
    }
    for (Index i = 0; i < num_envs; ++i) {
      if (i % env_lanes == 0) block_of(i).streams.first = static_cast<std::uint32_t>(i);
      block_of(i).finished[i % env_lanes] = 1;  // until the first reset
    }
  }

  Index num_envs() const override { return num_envs_; }
  Index observation_size() const override {
    constexpr Index D = Env::Observation::ColsAtCompileTime;
    if constexpr (D == Eigen::Dynamic) {
      return env_.observation_size();
    } else {
      return D;
    }
  }
  Index state_size() const override {
    constexpr Index K = Env::State::ColsAtCompileTime;
    if constexpr (K == Eigen::Dynamic) {
      return env_.state_size();
    } else {
      return K;
    }
  }
  Index action_size() const override { return action_size_of(env_); }
  Index step_ns() const override {
    if constexpr (requires { Env::step_ns; }) {
      return Env::step_ns;
    } else {
      return random_steps ? 5 : 2;  // drawing alone takes 3 and more
    }
  }
  Index max_episode_steps() const override { return max_episode_steps_; }

  void seed(Index i, std::uint64_t seed) override {
    block_of(i).set_stream(i % env_lanes, seed, 0);
  }

  void reset(Index i) override {
    LaneFlags flags = {};
    flags[i % env_lanes] = 1;
    block_of(i).reset(env_, flags, LaneMask<S>(flags), reset_blocks_);
    block_of(i).finished[i % env_lanes] = 0;
  }

  void set_episode_start(Index i, const S* state) override {
    Block& block = block_of(i);
    const Index K = state_size();
    for (Index k = 0; k < K; ++k) block.state(i % env_lanes, k) = state[k];
    block.elapsed[i % env_lanes] = 0;
    block.finished[i % env_lanes] = 0;
  }

  void end_episode(Index i) override { block_of(i).finished[i % env_lanes] = 1; }

  bool finished(Index i) const override { return block_of(i).finished[i % env_lanes] != 0; }

  std::int32_t elapsed(Index i) const override { return block_of(i).elapsed[i % env_lanes]; }

  bool valid(const S* state) const override {
    if constexpr (requires { env_.valid(state); }) {
      return env_.valid(state);
    } else {
      return true;
    }
  }

  void read_state(Index i, S* state) const override {
    const Block& block = block_of(i);
    const Index K = state_size();
    for (Index k = 0; k < K; ++k) state[k] = block.state(i % env_lanes, k);
  }

  EnvCopy<S> get_state() const override {
    const Index K = state_size();
    EnvCopy<S> copy(num_envs_, K);
    for (Index i = 0; i < num_envs_; ++i) {
      const Block& block = block_of(i);
      const Index lane = i % env_lanes;
      read_state(i, copy.state.data() + i * K);
      copy.elapsed[i] = elapsed(i);
      copy.finished[i] = finished(i);
      copy.seed[i] = block.streams.seed(lane);
      copy.counter[i] = block.counter(lane);
    }
    return copy;
  }

  void set_state(const EnvCopy<S>& copy) override {
    const Index K = state_size();
    for (Index i = 0; i < num_envs_; ++i) {
      Block& block = block_of(i);
      const Index lane = i % env_lanes;
      for (Index k = 0; k < K; ++k) block.state(lane, k) = copy.state[i * K + k];
      block.elapsed[lane] = copy.elapsed[i];
      block.finished[lane] = copy.finished[i];
      block.set_stream(lane, copy.seed[i], copy.counter[i]);
    }
  }

  void observe_block(Index b, S* observations) const override {
    write_rows(env_.observe(blocks_[static_cast<std::size_t>(b)].state), this->lanes(b),
               observations);
  }

  void step_block(Index b, const Action* actions, Autoreset mode,
                  const StepOutput<S>& out) override {
    Block& block = blocks_[static_cast<std::size_t>(b)];
    const Index lanes = this->lanes(b);
    const LaneFlags& waiting = block.finished;  // written last
    const bool waits = any_set(waiting), rest = waits && mode == Autoreset::disabled;
    const LaneMask<S> waiting_mask(waiting);
    if (rest) [[unlikely]]
      block.rest();

    Lanes<S, env_lanes> rewards;
    LaneFlags terminated, truncated, done;
    step_lanes(block, actions, lanes, waiting, rewards, terminated);
    const bool limited = max_episode_steps_ > 0;
    const auto limit = limited ? static_cast<std::int32_t>(max_episode_steps_)
                               : std::numeric_limits<std::int32_t>::max() - 1;
    for (Index l = 0; l < env_lanes; ++l) {
      block.elapsed[l] = std::min(block.elapsed[l] + 1, limit);
      truncated[l] = limited & (block.elapsed[l] >= limit);
    }
    if (lanes < env_lanes) {  // unused lanes rest at zero, lest they run away to slow numbers
      block.state.bottomRows(env_lanes - lanes).setZero();
      std::fill(block.elapsed + lanes, block.elapsed + env_lanes, 0);
      std::fill(terminated + lanes, terminated + env_lanes, 0);
      std::fill(truncated + lanes, truncated + env_lanes, 0);
    }
    for (Index l = 0; l < env_lanes; ++l) {
      const auto running = static_cast<std::uint8_t>(waiting[l] ^ 1);
      terminated[l] &= running;
      truncated[l] &= running;
      done[l] = terminated[l] | truncated[l];
    }
    for (Index l = 0; l < env_lanes; ++l) {
      const S reward = rewards[l];
      rewards[l] = waiting_mask.bits[l] != 0 ? S{0} : reward;
    }
    if (rest) [[unlikely]] {
      block.stay(waiting_mask);
    } else if (waits) {
      block.reset(env_, waiting, waiting_mask, reset_blocks_);
    }

    const auto write = [&](Index count) {
      std::copy_n(rewards.data(), count, out.rewards);
      std::copy_n(terminated, count, out.terminated);
      std::copy_n(truncated, count, out.truncated);
    };
    lanes == env_lanes ? write(env_lanes) : write(lanes);
    if (mode == Autoreset::next_step) {
      for (Index l = 0; l < env_lanes; ++l) block.finished[l] = done[l];
    } else if (mode == Autoreset::disabled) {
      for (Index l = 0; l < env_lanes; ++l) block.finished[l] |= done[l];
    } else {
      std::fill_n(block.finished, env_lanes, 0);
      if (any_set(done)) {
        if (out.final_observations) {
          const auto& observed = env_.observe(block.state);
          for_each_lane(set_of(done),
                        [&](Index l) { write_row(observed, l, out.final_observations); });
        }
        block.reset(env_, done, LaneMask<S>(done), reset_blocks_);
      }
    }
    write_rows(env_.observe(block.state), lanes, out.observations);
  }

 private:
  using State = typename Env::State;

  struct Block {
    explicit Block(const Env& env)
        : state(State::Zero(env_lanes, columns(env))), start(state), state_at_rest(state) {
      std::fill_n(used, env_lanes, 1);
      std::fill_n(taken, env_lanes, blocks_ahead<S>);
      if constexpr (!discrete) {
        box.actions = Env::Actions::Zero(env_lanes, action_size_of(env));
      }
    }

    State state;
    // Where a lane's next episode begins, made before it is needed: then it is not `used`, and its
    // stream's counter stands behind it. Blocks drawn from that counter on may be there as well.
    State start;
    LaneFlags finished = {}, used;
    std::int32_t elapsed[env_lanes] = {};
    LaneFlags taken;  // of the blocks drawn ahead
    LaneWords words[blocks_ahead<S>] = {};
    std::uint64_t counters_before[env_lanes] = {};  // where a start was made: without it
    LaneStreams streams;
    State state_at_rest;  // what lanes that wait under `disabled` go back to, and their clocks
    std::int32_t elapsed_at_rest[env_lanes] = {};
    ActionLanes<Env, discrete> box;  // unused lanes stay zero

    std::uint64_t counter(Index lane) const {
      return used[lane] ? streams.counters[lane] : counters_before[lane];
    }
    void set_stream(Index lane, std::uint64_t seed, std::uint64_t counter) {
      streams.set(lane, seed, counter);
      used[lane] = 1;
      taken[lane] = blocks_ahead<S>;
    }

    void rest() {
      state_at_rest = state;
      std::copy_n(elapsed, env_lanes, elapsed_at_rest);
    }
    void stay(const LaneMask<S>& mask) {
      mask.select(state_at_rest, state);
      for (Index l = 0; l < env_lanes; ++l) {
        elapsed[l] = mask.bits[l] ? elapsed_at_rest[l] : elapsed[l];
      }
    }

    // Begins an episode in some lanes, for which an environment draws `blocks` blocks.
    void reset(const Env& env, const LaneFlags& lanes, const LaneMask<S>& mask, int blocks) {
      if (random_steps || blocks > blocks_ahead<S>) {
        for_each_lane(set_of(lanes), [&](Index l) {
          EnvDraws draws{streams.seed(l), streams.stream(l), streams.counters[l]};
          env.reset(state, l, draws);
          streams.counters[l] = draws.counter;
        });
      } else if constexpr (!random_steps) {
        LaneFlags missing;
        for (Index l = 0; l < env_lanes; ++l) missing[l] = used[l] & lanes[l];
        if (any_set(missing)) make_starts(env, missing, blocks);
        mask.select(start, state);
        for (Index l = 0; l < env_lanes; ++l) used[l] |= lanes[l];
      }
      for (Index l = 0; l < env_lanes; ++l) {
        const std::int32_t now = elapsed[l];
        elapsed[l] = mask.bits[l] != 0 ? 0 : now;
      }
    }

    // Makes starts of lanes that miss them, and of all others that used theirs and have enough
    // blocks left.
    [[gnu::noinline]] void make_starts(const Env& env, const LaneFlags& missing, int blocks) {
      LaneFlags lanes;
      const int most = blocks_ahead<S> - blocks;  // that a lane may have taken
      for (Index l = 0; l < env_lanes; ++l) lanes[l] = missing[l] & (taken[l] > most);
      if (any_set(lanes)) {
        for (std::uint64_t k = 0; k < blocks_ahead<S>; ++k) streams.next(words[k], k);
        std::fill_n(taken, env_lanes, 0);
      }
      LaneWords left[blocks_ahead<S>] = {};  // each lane's, from the first that it has not taken on
      for (int j = 0; j < blocks; ++j) {
        for (int k = j; k < blocks_ahead<S>; ++k) {
          std::uint32_t own[env_lanes];  // a mask
          for (Index l = 0; l < env_lanes; ++l) own[l] = taken[l] + j == k ? ~0u : 0u;
          for (int w = 0; w < 4; ++w) {
            for (Index l = 0; l < env_lanes; ++l) left[j][w][l] |= words[k][w][l] & own[l];
          }
        }
      }
      State starts = start;
      for (Index l = 0; l < env_lanes; ++l) {
        EnvDrawsAhead<S> draws{left, l};
        env.reset(starts, l, draws);
      }
      for (Index l = 0; l < env_lanes; ++l) {
        lanes[l] = used[l] & (taken[l] <= most);
        taken[l] = static_cast<std::uint8_t>(taken[l] + (lanes[l] ? blocks : 0));
        used[l] ^= lanes[l];
      }
      for (Index l = 0; l < env_lanes; ++l) {
        const std::uint64_t now = streams.counters[l], before = counters_before[l];
        counters_before[l] = lanes[l] ? now : before;
        streams.counters[l] = now + (lanes[l] ? static_cast<std::uint64_t>(blocks) : 0);
      }
      LaneMask<S>(lanes).select(starts, start);
    }
  };

  static Index columns(const Env& env) {
    constexpr Index K = Env::State::ColsAtCompileTime;
    if constexpr (K == Eigen::Dynamic) {
      return env.state_columns();
    } else {
      return K;
    }
  }

  static Index action_size_of(const Env& env) {
    if constexpr (discrete) {
      return 1;
    } else if constexpr (Env::Actions::ColsAtCompileTime == Eigen::Dynamic) {
      return env.action_size();
    } else {
      return Env::Actions::ColsAtCompileTime;
    }
  }

  // A step of all lanes, `lanes` of which are used and have actions.
  void step_lanes(Block& block, const Action* actions, Index lanes, const LaneFlags& waiting,
                  Lanes<S, env_lanes>& rewards, std::uint8_t* terminated) {
    const auto step = [&](const auto& of_lanes) {
      if constexpr (random_steps) {
        LaneDraws<S> draws(block.streams, waiting);
        env_.step(block.state, of_lanes, rewards, terminated, draws);
      } else {
        env_.step(block.state, of_lanes, rewards, terminated);
      }
    };
    if constexpr (discrete) {
      if (lanes == env_lanes) return step(actions);
      Action padded_actions[env_lanes] = {};
      std::copy(actions, actions + lanes, padded_actions);
      step(padded_actions);
    } else {
      const Index A = action_size();
      for (Index a = 0; a < A; ++a) {
        for (Index l = 0; l < lanes; ++l) block.box.actions(l, a) = actions[l * A + a];
      }
      step(block.box.actions);
    }
  }

  Block& block_of(Index i) { return blocks_[static_cast<std::size_t>(i / env_lanes)]; }
  const Block& block_of(Index i) const { return blocks_[static_cast<std::size_t>(i / env_lanes)]; }

  // Lanes to rows: the observation of lane l is row l. A full block has a constant trip count.
  template <class Observed>
  void write_rows(const Observed& observation, Index lanes, S* rows) const {
    const auto write = [&](Index count) {
      for (Index l = 0; l < count; ++l) write_row(observation, l, rows);
    };
    lanes == env_lanes ? write(env_lanes) : write(lanes);
  }
  template <class Observed>
  void write_row(const Observed& observation, Index l, S* rows) const {
    const Index D = observation_size();
    for (Index d = 0; d < D; ++d) rows[l * D + d] = observation(l, d);
  }

  Env env_;
  Index num_envs_, max_episode_steps_;
  int reset_blocks_ = 0;  // that a reset draws where it can be made ahead
  std::vector<Block> blocks_;
};

}  // namespace pgfast
