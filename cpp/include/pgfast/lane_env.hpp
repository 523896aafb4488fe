// Environments over lanes.
//
// An environment is written once as arithmetic on `env_lanes` copies of itself (envs/*.hpp): a
// state is Array<S, 32, K>, one column per variable, so that a step of float32 stays in two AVX-512
// or four AVX2 registers per variable. LaneEnv turns it into a batch of any size: blocks of 32,
// with time limits, autoreset and random streams. The last block's unused lanes are computed and
// ignored.
//
// Environment i's numbers come from the stream (seed_i, i) alone: it does not depend on the size of
// the batch, on its neighbours or on the thread that runs it.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "pgfast/random.hpp"
#include "pgfast/vector_env.hpp"

namespace pgfast {

// The random numbers of one environment: whole Philox blocks, counted so that they can be copied.
struct EnvDraws {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;
  std::uint64_t counter = 0;

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

template <class Env>
class LaneEnv final : public VectorEnv<typename Env::Scalar, typename Env::Action> {
 public:
  using S = typename Env::Scalar;
  using Action = typename Env::Action;
  static constexpr Index K = Env::State::ColsAtCompileTime;
  static constexpr Index D = Env::Observation::ColsAtCompileTime;

  LaneEnv(Env env, Index num_envs, Index max_episode_steps)
      : env_(env),
        num_envs_(num_envs),
        max_episode_steps_(max_episode_steps),
        blocks_(static_cast<std::size_t>(ceil_div(num_envs, env_lanes))) {
    for (Index i = 0; i < num_envs; ++i) {
      block_of(i).draws[i % env_lanes].stream = static_cast<std::uint32_t>(i);
      block_of(i).set_finished(i % env_lanes, true);  // until the first reset
    }
  }

  Index num_envs() const override { return num_envs_; }
  Index observation_size() const override { return D; }
  Index state_size() const override { return K; }
  Index max_episode_steps() const override { return max_episode_steps_; }

  void seed(Index i, std::uint64_t seed) override {
    EnvDraws& draws = block_of(i).draws[i % env_lanes];
    draws.seed = seed;
    draws.counter = 0;
  }

  void reset(Index i) override { block_of(i).reset(env_, i % env_lanes); }

  void set_episode_start(Index i, const S* state) override {
    Block& block = block_of(i);
    for (Index k = 0; k < K; ++k) block.state(i % env_lanes, k) = state[k];
    block.elapsed[i % env_lanes] = 0;
    block.set_finished(i % env_lanes, false);
  }

  void end_episode(Index i) override { block_of(i).set_finished(i % env_lanes, true); }

  bool finished(Index i) const override { return block_of(i).finished[i % env_lanes] != 0; }

  EnvCopy<S> get_state() const override {
    EnvCopy<S> copy(num_envs_, K);
    for (Index i = 0; i < num_envs_; ++i) {
      const Block& block = block_of(i);
      const Index lane = i % env_lanes;
      for (Index k = 0; k < K; ++k) copy.state[i * K + k] = block.state(lane, k);
      copy.elapsed[i] = block.elapsed[lane];
      copy.finished[i] = block.finished[lane] != 0;
      copy.seed[i] = block.draws[lane].seed;
      copy.counter[i] = block.draws[lane].counter;
    }
    return copy;
  }

  void set_state(const EnvCopy<S>& copy) override {
    for (Index i = 0; i < num_envs_; ++i) {
      Block& block = block_of(i);
      const Index lane = i % env_lanes;
      for (Index k = 0; k < K; ++k) block.state(lane, k) = copy.state[i * K + k];
      block.elapsed[lane] = copy.elapsed[i];
      block.set_finished(lane, copy.finished[i]);
      block.draws[lane].seed = copy.seed[i];
      block.draws[lane].counter = copy.counter[i];
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
    Action padded_actions[env_lanes] = {};
    std::copy(actions, actions + lanes, padded_actions);

    const bool any_waiting = block.num_finished > 0;
    typename Env::State before;
    if (any_waiting) before = block.state;

    Lanes<S, env_lanes> rewards;
    std::uint8_t terminated[env_lanes], truncated[env_lanes];
    env_.step(block.state, padded_actions, rewards, terminated);
    const bool limited = max_episode_steps_ > 0;
    const auto limit = limited ? static_cast<std::int32_t>(max_episode_steps_)
                               : std::numeric_limits<std::int32_t>::max() - 1;
    for (Index l = 0; l < env_lanes; ++l) {
      const std::int32_t count = block.elapsed[l] + (block.finished[l] == 0 ? 1 : 0);
      block.elapsed[l] = std::min(count, limit);
      truncated[l] = limited & (count >= limit);
    }
    if (lanes < env_lanes) {  // unused lanes rest at zero, lest they run away to slow numbers
      block.state.bottomRows(env_lanes - lanes).setZero();
      std::fill(block.elapsed + lanes, block.elapsed + env_lanes, 0);
    }

    if (any_waiting) {
      for (Index l = 0; l < lanes; ++l) {
        if (!block.finished[l]) continue;
        block.state.row(l) = before.row(l);
        rewards[l] = S{0};
        terminated[l] = truncated[l] = 0;
        if (mode != Autoreset::disabled) block.reset(env_, l);
      }
    }
    std::uint8_t any_done = 0;
    for (Index l = 0; l < lanes; ++l) any_done |= terminated[l] | truncated[l];

    std::copy(rewards.data(), rewards.data() + lanes, out.rewards);
    std::memcpy(out.terminated, terminated, static_cast<std::size_t>(lanes));
    std::memcpy(out.truncated, truncated, static_cast<std::size_t>(lanes));
    if (any_done) {
      if (mode == Autoreset::same_step && out.final_observations) {
        write_rows(env_.observe(block.state), lanes, out.final_observations);
      }
      for (Index l = 0; l < lanes; ++l) {
        if (!(terminated[l] | truncated[l])) continue;
        if (mode == Autoreset::same_step) {
          block.reset(env_, l);
        } else {
          block.set_finished(l, true);
        }
      }
    }
    write_rows(env_.observe(block.state), lanes, out.observations);
  }

 private:
  struct Block {
    typename Env::State state = Env::State::Zero();
    std::int32_t elapsed[env_lanes] = {};
    std::uint8_t finished[env_lanes] =
        {};  // bytes, as everywhere where loops should be vector code
    Index num_finished = 0;
    EnvDraws draws[env_lanes];

    void set_finished(Index lane, bool value) {
      num_finished += static_cast<int>(value) - static_cast<int>(finished[lane]);
      finished[lane] = value;
    }
    void reset(const Env& env, Index lane) {
      env.reset(state, lane, draws[lane]);
      elapsed[lane] = 0;
      set_finished(lane, false);
    }
  };

  Block& block_of(Index i) { return blocks_[static_cast<std::size_t>(i / env_lanes)]; }
  const Block& block_of(Index i) const { return blocks_[static_cast<std::size_t>(i / env_lanes)]; }

  // Lanes to rows: the observation of lane l is row l. A full block has a constant trip count.
  static void write_rows(const typename Env::Observation& observation, Index lanes, S* rows) {
    const auto write = [&](Index count) {
      for (Index l = 0; l < count; ++l) {
        for (Index d = 0; d < D; ++d) rows[l * D + d] = observation(l, d);
      }
    };
    lanes == env_lanes ? write(env_lanes) : write(lanes);
  }

  Env env_;
  Index num_envs_, max_episode_steps_;
  std::vector<Block> blocks_;
};

}  // namespace pgfast
