// Batches of environments with the arrays that a step writes.
#pragma once

#include "check.hpp"
#include "pgfast/lane_env.hpp"

namespace check {

using namespace pgfast;

// A toy whose every number can be told beforehand. An episode's length is drawn at its reset, from
// 1 to 6; each step counts, and its reward tells the count and the action.
template <class S>
struct Counter {
  using Scalar = S;
  using Action = DiscreteAction;
  using State = Eigen::Array<S, env_lanes, 2>;  // length, count
  using Observation = State;

  static S length_of(S uniform) { return std::floor(uniform * S{6}) + S{1}; }

  void reset(State& state, Index lane, auto& draws) const {
    S uniforms[1];
    draws.uniforms(uniforms);
    state(lane, 0) = length_of(uniforms[0]);
    state(lane, 1) = S{0};
  }

  void step(State& state, const DiscreteAction* actions, Lanes<S, env_lanes>& rewards,
            std::uint8_t* terminated) const {
    for (Index l = 0; l < env_lanes; ++l) {
      state(l, 1) += S{1};
      rewards[l] = S{10} * state(l, 1) + static_cast<S>(actions[l]);
      terminated[l] = state(l, 1) >= state(l, 0);
    }
  }

  const Observation& observe(const State& state) const { return state; }
};

// A batch and what its last step wrote.
template <class Env>
struct Batch {
  using S = typename Env::Scalar;
  Index N, D;
  LaneEnv<Env> env;
  Array<S> observations, rewards, final_observations;
  Array<bool> terminated, truncated;

  Batch(Index num_envs, Index max_episode_steps, const Env& e = {})
      : N(num_envs),
        D(Env::Observation::ColsAtCompileTime),
        env(e, num_envs, max_episode_steps),
        observations(N * D),
        rewards(N),
        final_observations(Array<S>::zeros(N * D)),
        terminated(N),
        truncated(N) {}

  void reset(std::uint64_t seed) {
    for (Index i = 0; i < N; ++i) {
      env.seed(i, seed);
      env.reset(i);
    }
    env.observe(observations.data());
  }

  void step(const Array<DiscreteAction>& actions, Autoreset mode = Autoreset::same_step) {
    env.step(actions.data(), mode,
             {observations.data(), rewards.data(), terminated.data(), truncated.data(),
              final_observations.data()});
  }

  bool done(Index i) const { return terminated[i] || truncated[i]; }
};

// Environment i's action at time t: 0 or 1, the same whatever batch it stands in.
inline DiscreteAction action_of(Index i, Index t) {
  return philox(99, Purpose::general, static_cast<std::uint32_t>(i),
                static_cast<std::uint64_t>(t))[0] &
         1;
}
inline Array<DiscreteAction> actions_at(Index t, Index N) {
  Array<DiscreteAction> actions(N);
  for (Index i = 0; i < N; ++i) actions[i] = action_of(i, t);
  return actions;
}

}  // namespace check
