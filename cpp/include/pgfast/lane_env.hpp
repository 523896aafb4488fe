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
//   reset(state, lane, draws)   begins an episode in one lane
//   step(state, actions, rewards, terminated)
//                               all lanes at once; discrete actions are an array of 32
//   observe(state)              an Observation, or an expression over the state
//
// and what only some have: `random_steps`, true, and LaneDraws as the last argument of step; valid(
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

// The random numbers of one environment: whole Philox blocks, counted so that they can be copied.
// One of them may have been computed ahead.
struct EnvDraws {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;
  std::uint64_t counter = 0;
  bool drawn = false;               // whether there is one,
  std::uint64_t ahead_counter = 0;  // whose block it is,
  PhiloxBlock ahead = {};           // and its words

  bool has_next() const { return drawn && ahead_counter == counter; }

  template <class S, std::size_t n>
  void uniforms(S (&out)[n]) {
    constexpr int draws = draws_per_block<S>;
    for (std::size_t i = 0; i < n; i += draws) {
      const PhiloxBlock words =
          has_next() ? ahead : philox(seed, Purpose::environment, stream, counter);
      ++counter;
      for (std::size_t j = 0; j < draws && i + j < n; ++j) {
        out[i + j] = uniform_from_words<S>(words.data() + j * words_per_draw<S>);
      }
    }
  }
};

// The next Philox block of every lane, word w of lane l in words[w][l]. All 32 cost as much as 16
// made one by one.
using LaneWords = std::uint32_t[4][env_lanes];
inline void next_words(const EnvDraws (&lanes)[env_lanes], LaneWords& words) {
  std::uint32_t keys[2][env_lanes];
  for (Index l = 0; l < env_lanes; ++l) {
    const EnvDraws& lane = lanes[l];
    words[0][l] = static_cast<std::uint32_t>(lane.counter);
    words[1][l] = static_cast<std::uint32_t>(lane.counter >> 32);
    words[2][l] = lane.stream;
    words[3][l] = static_cast<std::uint32_t>(Purpose::environment);
    keys[0][l] = static_cast<std::uint32_t>(lane.seed);
    keys[1][l] = static_cast<std::uint32_t>(lane.seed >> 32);
  }
  philox_lanes(words, keys);
}

// Computes the next block of every lane ahead.
inline void draw_ahead(EnvDraws (&lanes)[env_lanes]) {
  LaneWords words;
  next_words(lanes, words);
  for (Index l = 0; l < env_lanes; ++l) {
    lanes[l].ahead = {words[0][l], words[1][l], words[2][l], words[3][l]};
    lanes[l].ahead_counter = lanes[l].counter;
    lanes[l].drawn = true;
  }
}

// The streams of a block's lanes, for environments that draw in every step.
template <class S>
class LaneDraws {
 public:
  using Uniforms = Lanes<S, env_lanes>[draws_per_block<S>];

  explicit LaneDraws(EnvDraws (&lanes)[env_lanes]) : lanes_(lanes) {}

  // One Philox block of every lane: out[i][l] is its draw i, as EnvDraws::uniforms gives it.
  void uniforms(Uniforms& out) {
    constexpr int words = words_per_draw<S>;
    LaneWords c;
    next_words(lanes_, c);
    for (EnvDraws& lane : lanes_) ++lane.counter;
    for (int i = 0; i < draws_per_block<S>; ++i) {
      for (Index l = 0; l < env_lanes; ++l) {
        const std::uint32_t w[2] = {c[i * words][l], c[i * words + words - 1][l]};
        out[i][l] = uniform_from_words<S>(w);
      }
    }
  }

 private:
  EnvDraws (&lanes_)[env_lanes];
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
    for (Index i = 0; i < num_envs; ++i) {
      block_of(i).draws[i % env_lanes].stream = static_cast<std::uint32_t>(i);
      block_of(i).set_finished(i % env_lanes, true);  // until the first reset
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
  Index max_episode_steps() const override { return max_episode_steps_; }

  void seed(Index i, std::uint64_t seed) override {
    EnvDraws& draws = block_of(i).draws[i % env_lanes];
    draws = {seed, draws.stream, 0};
  }

  void reset(Index i) override { block_of(i).reset(env_, i % env_lanes); }

  void set_episode_start(Index i, const S* state) override {
    Block& block = block_of(i);
    const Index K = state_size();
    for (Index k = 0; k < K; ++k) block.state(i % env_lanes, k) = state[k];
    block.elapsed[i % env_lanes] = 0;
    block.set_finished(i % env_lanes, false);
  }

  void end_episode(Index i) override { block_of(i).set_finished(i % env_lanes, true); }

  bool finished(Index i) const override {
    return (block_of(i).finished >> (i % env_lanes) & 1) != 0;
  }

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
      copy.seed[i] = block.draws[lane].seed;
      copy.counter[i] = block.draws[lane].counter;
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
      block.set_finished(lane, copy.finished[i]);
      block.draws[lane] = {copy.seed[i], block.draws[lane].stream, copy.counter[i]};
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
    const LaneSet used = first_lanes(lanes), waiting = block.finished & used;
    std::uint64_t counters[env_lanes];
    std::int32_t elapsed[env_lanes];
    for_each_lane(waiting, [&](Index l) {
      block.before.row(l) = block.state.row(l);
      counters[l] = block.draws[l].counter;
      elapsed[l] = block.elapsed[l];
    });

    Lanes<S, env_lanes> rewards;
    std::uint8_t terminated[env_lanes], truncated[env_lanes];
    step_lanes(block, actions, lanes, rewards, terminated);
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
    }
    for_each_lane(waiting, [&](Index l) {
      block.state.row(l) = block.before.row(l);
      block.draws[l].counter = counters[l];
      block.elapsed[l] = elapsed[l];
      rewards[l] = S{0};
      terminated[l] = truncated[l] = 0;
      if (mode != Autoreset::disabled) block.reset(env_, l);
    });

    if (lanes == env_lanes) {
      std::copy_n(rewards.data(), env_lanes, out.rewards);
      std::copy_n(terminated, env_lanes, out.terminated);
      std::copy_n(truncated, env_lanes, out.truncated);
    } else {
      std::copy_n(rewards.data(), lanes, out.rewards);
      std::copy_n(terminated, lanes, out.terminated);
      std::copy_n(truncated, lanes, out.truncated);
    }
    const LaneSet done = (set_of(terminated) | set_of(truncated)) & used;
    if (mode != Autoreset::same_step) {
      block.finished |= done;
    } else if (done) {
      if (out.final_observations) {
        const auto& observed = env_.observe(block.state);
        for_each_lane(done, [&](Index l) { write_row(observed, l, out.final_observations); });
      }
      for_each_lane(done, [&](Index l) { block.reset(env_, l); });
    }
    write_rows(env_.observe(block.state), lanes, out.observations);
  }

 private:
  struct Block {
    explicit Block(const Env& env)
        : state(Env::State::Zero(env_lanes, columns(env))), before(env_lanes, state.cols()) {
      if constexpr (!discrete) {
        box.actions = Env::Actions::Zero(env_lanes, action_size_of(env));
      }
    }

    typename Env::State state;
    // What lanes that wait for a reset go back to; few of its rows are ever touched in one step.
    Eigen::Array<S, env_lanes, Env::State::ColsAtCompileTime, Eigen::RowMajor> before;
    ActionLanes<Env, discrete> box;  // unused lanes stay zero
    std::int32_t elapsed[env_lanes] = {};
    LaneSet finished = 0;
    EnvDraws draws[env_lanes];

    void set_finished(Index lane, bool value) {
      finished = value ? finished | LaneSet{1} << lane : finished & ~(LaneSet{1} << lane);
    }
    void reset(const Env& env, Index lane) {
      // The next block of every lane at once: most are used before one of them needs its second.
      if constexpr (!random_steps) {
        if (!draws[lane].has_next()) draw_ahead(draws);
      }
      env.reset(state, lane, draws[lane]);
      elapsed[lane] = 0;
      set_finished(lane, false);
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
  void step_lanes(Block& block, const Action* actions, Index lanes, Lanes<S, env_lanes>& rewards,
                  std::uint8_t* terminated) {
    const auto step = [&](const auto& of_lanes) {
      if constexpr (random_steps) {
        LaneDraws<S> draws(block.draws);
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
  std::vector<Block> blocks_;
};

}  // namespace pgfast
