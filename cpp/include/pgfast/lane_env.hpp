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
//   reset(state, lane, draws)   begins an episode in one lane; a template, for two kinds of draws.
//                               Without random_steps it writes the whole state, from as many blocks
//                               of draws each time, because it is made ahead
//   step(state, actions, rewards, terminated)
//                               all lanes at once; discrete actions are an array of 32
//   observe(state)              an Observation, or an expression over the state
//
// and what only some have: `step_ns`, what a step takes at least, where that is much more than
// MountainCar's 1; `random_steps`, true, and LaneDraws as the last argument of step; valid(row),
// where not every row of numbers is a state. A size that is known only at run time is
// Eigen::Dynamic in the type and state_size(), observation_size() or action_size(); then
// state_columns() is how many columns a State has, those behind state_size() being work space.
//
// Environment i's numbers come from the stream (seed_i, i) alone: it does not depend on the size of
// the batch, on its neighbours or on the thread that runs it.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "pgfast/lane_streams.hpp"

namespace pgfast {

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
      return random_steps ? 5 : 1;  // drawing alone takes 3 and more
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
  std::int32_t max_elapsed() const override {
    return max_episode_steps_ > 0 ? static_cast<std::int32_t>(max_episode_steps_)
                                  : std::numeric_limits<std::int32_t>::max();
  }

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
      copy.counter[i] = block.streams.counters[lane];
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
    // Lanes that wait ignore their actions. Where a start is made ahead, it is written over all of
    // a state; else they go back to what they were.
    const bool waits = any_set(waiting),
               rest = waits && (random_steps || mode == Autoreset::disabled);
    const LaneMask<S> waiting_mask(waiting);
    if (rest) [[unlikely]]
      block.rest();

    Lanes<S, env_lanes> rewards;
    LaneFlags terminated, truncated, done;
    step_lanes(block, actions, lanes, waiting, rewards, terminated);
    const bool limited = max_episode_steps_ > 0;
    const std::int32_t limit = max_elapsed();
    for (Index l = 0; l < env_lanes; ++l) {
      block.elapsed[l] += static_cast<std::int32_t>(block.elapsed[l] < limit);
      truncated[l] = limited & (block.elapsed[l] >= limit);
    }
    if (lanes < env_lanes) {
      block.rest_behind(lanes);  // and end no episodes, each of which would begin another
      const int used = static_cast<int>(lanes);
      for (int l = 0; l < env_lanes; ++l) {
        terminated[l] &= static_cast<std::uint8_t>(l < used);
        truncated[l] &= static_cast<std::uint8_t>(l < used);
      }
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
    if (rest) [[unlikely]]
      block.stay(waiting_mask);
    if (waits && mode != Autoreset::disabled) {
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
      if constexpr (!discrete) {
        box.actions = Env::Actions::Zero(env_lanes, action_size_of(env));
      }
    }

    State state;
    State start;           // of a lane's next episode, made ahead of the next blocks of its stream
    LaneFlags ready = {};  // where that is so
    LaneFlags finished = {};
    std::int32_t elapsed[env_lanes] = {};
    LaneStreams streams;
    State state_at_rest;  // what waiting lanes go back to, and their clocks
    std::int32_t elapsed_at_rest[env_lanes] = {};
    ActionLanes<Env, discrete> box;  // unused lanes stay zero

    void set_stream(Index lane, std::uint64_t seed, std::uint64_t counter) {
      streams.set(lane, seed, counter);
      ready[lane] = 0;
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

    // Unused lanes rest at zero, lest they run away to slow numbers.
    void rest_behind(Index lanes) {
      const int used = static_cast<int>(lanes);
      for (Index k = 0; k < state.cols(); ++k) {
        S* column = &state(0, k);
        for (int l = 0; l < env_lanes; ++l) {
          const S now = column[l];
          column[l] = l < used ? now : S{0};
        }
      }
    }

    // Begins an episode in some lanes, for which an environment draws `blocks` blocks.
    void reset(const Env& env, const LaneFlags& lanes, const LaneMask<S>& mask, int blocks) {
      if (random_steps || blocks > start_blocks<S>) {
        for_each_lane(set_of(lanes), [&](Index l) {
          EnvDraws draws{streams.seed(l), streams.stream(l), streams.counters[l]};
          env.reset(state, l, draws);
          streams.counters[l] = draws.counter;
        });
      } else if constexpr (!random_steps) {
        LaneFlags missing;
        for (Index l = 0; l < env_lanes; ++l) missing[l] = lanes[l] & (ready[l] ^ 1);
        if (any_set(missing)) make_starts(env, blocks);
        mask.select(start, state);
        for (Index l = 0; l < env_lanes; ++l) ready[l] &= lanes[l] ^ 1;
        streams.advance(lanes, static_cast<std::uint64_t>(blocks));
      }
      for (Index l = 0; l < env_lanes; ++l) {
        const std::int32_t now = elapsed[l];
        elapsed[l] = mask.bits[l] != 0 ? 0 : now;
      }
    }

    // Makes the next start of every lane: all 32 draw as fast as some 7 (AVX2) would one by one,
    // and most starts are used before one of the lanes needs its second.
    [[gnu::noinline]] void make_starts(const Env& env, int blocks) {
      LaneWords words[start_blocks<S>];
      for (int k = 0; k < blocks; ++k) streams.next(words[k], static_cast<std::uint64_t>(k));
      for (Index l = 0; l < env_lanes; ++l) {
        EnvDrawsAhead<S> draws{words, l};
        env.reset(start, l, draws);
      }
      std::fill_n(ready, env_lanes, 1);
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
