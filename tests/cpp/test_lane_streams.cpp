#include "environments.hpp"
#include "pgfast/lane_env.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::Batch;

// Draws a number in each of `blocks` blocks to begin an episode; action 1 ends it.
template <class S, int blocks>
struct Drawing {
  using Scalar = S;
  using Action = DiscreteAction;
  using State = Eigen::Array<S, env_lanes, blocks>;
  using Observation = State;

  void reset(State& state, Index lane, auto& draws) const {
    for (Index k = 0; k < blocks; ++k) {
      S number[1];
      draws.uniforms(number);
      state(lane, k) = number[0];
    }
  }
  void step(State&, const DiscreteAction* actions, Lanes<S, env_lanes>& rewards,
            std::uint8_t* terminated) const {
    rewards.setOnes();
    for (Index l = 0; l < env_lanes; ++l) terminated[l] = actions[l] == 1;
  }
  const Observation& observe(const State& state) const { return state; }
};

template <class S, int blocks>
void starts_follow_the_stream(Autoreset mode) {
  CONTEXT(blocks << " blocks, mode " << static_cast<int>(mode));
  const Index N = 37;
  Batch<Drawing<S, blocks>> batch(N, 0);
  std::vector<std::uint64_t> seeds(N, 3), drawn(N, 0);
  batch.reset(3);
  for (auto& n : drawn) n += blocks;
  std::vector<bool> waiting(N, false);
  for (Index t = 0; t < 200; ++t) {
    Array<DiscreteAction> actions(N);
    for (Index i = 0; i < N; ++i) actions[i] = (i * i + 7 * t) % (3 + i % 5) == 0;
    batch.step(actions, mode);
    const auto copy = batch.env.get_state();
    for (Index i = 0; i < N; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool ends = actions[i] == 1 && !waiting[at];
      if (waiting[at] || (ends && mode == Autoreset::same_step)) drawn[at] += blocks;
      waiting[at] = ends && mode != Autoreset::same_step;
      CHECK_EQ(copy.counter[i], drawn[at]);
      CHECK_EQ(batch.done(i), ends);
      for (std::uint64_t k = 0; k < blocks; ++k) {
        const std::uint64_t block = drawn[at] - blocks + k;
        CHECK_EQ(batch.observations[blocks * i + static_cast<Index>(k)],
                 uniform<S>(seeds[at], Purpose::environment, static_cast<std::uint32_t>(i),
                            block * draws_per_block<S>));
      }
    }
    if (t % 50 == 49) {  // a stream that begins anew, a copy that is taken up
      const Index i = t % N;
      const auto at = static_cast<std::size_t>(i);
      batch.env.seed(i, seeds[at] = 10 + static_cast<std::uint64_t>(t));
      batch.env.reset(i);
      drawn[at] = blocks;
      waiting[at] = false;
      batch.env.set_state(batch.env.get_state());
    }
  }
}

TEST(drawn_ahead,
     "Starts are made of the stream in its order, whether they are made ahead or not.") {
  check::for_each_scalar([]<class S>() {
    for (const Autoreset mode : {Autoreset::next_step, Autoreset::same_step}) {
      starts_follow_the_stream<S, 1>(mode);
      starts_follow_the_stream<S, 2>(mode);
      starts_follow_the_stream<S, 3>(mode);
      starts_follow_the_stream<S, start_blocks<S> + 1>(mode);
    }
  });
}

TEST(draws, "An environment draws whole blocks, in the order of its stream.") {
  check::for_each_scalar([]<class S>() {
    EnvDraws draws{5, 6, 0};
    S five[5], one[1];
    draws.uniforms(five);
    constexpr std::uint64_t blocks = (5 + draws_per_block<S> - 1) / draws_per_block<S>;
    CHECK_EQ(draws.counter, blocks);
    for (std::uint64_t i = 0; i < 5; ++i) {
      CHECK_EQ(five[i], uniform<S>(5, Purpose::environment, 6, i));
    }
    draws.uniforms(one);
    CHECK_EQ(one[0], uniform<S>(5, Purpose::environment, 6, blocks * draws_per_block<S>));
  });
}

// Sizes known at run time, two numbers an action, and a draw in every step, which is its state.
template <class S>
struct Noisy {
  using Scalar = S;
  using Action = S;
  using State = Eigen::Array<S, env_lanes, Eigen::Dynamic>;
  using Observation = State;
  using Actions = Eigen::Array<S, env_lanes, Eigen::Dynamic>;
  static constexpr bool random_steps = true;

  Index state_size() const { return 2; }
  Index state_columns() const { return 3; }
  Index observation_size() const { return 1; }
  Index action_size() const { return 2; }

  void reset(State& state, Index lane, auto&) const { state.row(lane).setZero(); }

  void step(State& state, const Actions& actions, Lanes<S, env_lanes>& rewards,
            std::uint8_t* terminated, LaneDraws<S>& draws) const {
    typename LaneDraws<S>::Uniforms u;
    draws.uniforms(u);
    state.col(0) = u[0];
    state.col(1) = u[1];
    state.col(2).setConstant(S{7});
    rewards = actions.col(0) + S{10} * actions.col(1);
    std::fill(terminated, terminated + env_lanes, std::uint8_t{0});
  }

  auto observe(const State& state) const { return state.leftCols(1); }

  bool valid(const S* state) const { return state[0] >= S{0}; }
};

template <class S>
struct NoisyBatch {
  Index N;
  LaneEnv<Noisy<S>> env;
  Array<S> observations, rewards, actions;
  Array<bool> terminated, truncated;

  explicit NoisyBatch(Index num_envs)
      : N(num_envs),
        env({}, N, 0),
        observations(N),
        rewards(N),
        actions(2 * N),
        terminated(N),
        truncated(N) {
    for (Index i = 0; i < N; ++i) {
      env.seed(i, 50 + static_cast<std::uint64_t>(i));
      env.reset(i);
    }
  }

  void step(Autoreset mode) {
    for (Index i = 0; i < 2 * N; ++i) actions[i] = static_cast<S>(i % 7);
    env.step(actions.data(), mode,
             {observations.data(), rewards.data(), terminated.data(), truncated.data(), nullptr});
  }

  S draw(Index i, std::uint64_t block, std::uint64_t draw) const {
    return uniform<S>(50 + static_cast<std::uint64_t>(i), Purpose::environment,
                      static_cast<std::uint32_t>(i), block * draws_per_block<S> + draw);
  }
};

TEST(run_time_sizes, "Sizes, actions and draws of an environment that knows them at run time.") {
  check::for_each_scalar([]<class S>() {
    NoisyBatch<S> batch(45);
    CHECK_EQ(batch.env.state_size(), 2);
    CHECK_EQ(batch.env.observation_size(), 1);
    CHECK_EQ(batch.env.action_size(), 2);
    for (std::uint64_t t = 0; t < 3; ++t) {
      batch.step(Autoreset::same_step);
      const auto copy = batch.env.get_state();
      CHECK_EQ(copy.state.size(), 2 * 45);
      for (Index i = 0; i < 45; ++i) {
        CHECK_EQ(batch.observations[i], batch.draw(i, t, 0));
        CHECK_EQ(copy.state[2 * i], batch.draw(i, t, 0));
        CHECK_EQ(copy.state[2 * i + 1], batch.draw(i, t, 1));
        CHECK_EQ(batch.rewards[i],
                 static_cast<S>(2 * i % 7) + S{10} * static_cast<S>((2 * i + 1) % 7));
        S row[2];
        batch.env.read_state(i, row);
        CHECK_EQ(row[0], copy.state[2 * i]);
        CHECK_EQ(row[1], copy.state[2 * i + 1]);
      }
    }
  });
}

TEST(waiting_draws_nothing,
     "An environment that waits for a reset leaves its stream where it is.") {
  check::for_each_scalar([]<class S>() {
    for (const Autoreset mode : {Autoreset::next_step, Autoreset::disabled}) {
      NoisyBatch<S> batch(45);
      batch.step(mode);
      for (Index i = 0; i < 45; i += 3) batch.env.end_episode(i);
      batch.step(mode);
      const auto copy = batch.env.get_state();
      for (Index i = 0; i < 45; ++i) {
        CHECK_EQ(copy.counter[i], i % 3 == 0 ? 1u : 2u);
        if (i % 3 == 0) CHECK_EQ(batch.rewards[i], S{0});
      }
    }
  });
}

}  // namespace
}  // namespace pgfast
