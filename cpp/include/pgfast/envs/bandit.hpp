// ContextualBandit-v0 and Bandit-v0: one decision an episode. The context x is uniform on
// [low, high]^d, and arm a pays w_a . x + sigma z, z ~ N(0, 1). A bandit without contexts has d = 1
// and low = high = 1, and its weights are the arms' means. State and observation: x.
#pragma once

#include <vector>

#include "pgfast/lane_env.hpp"

namespace pgfast {

template <class S>
struct Bandit {
  using Scalar = S;
  using Action = DiscreteAction;
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, Eigen::Dynamic>;
  using Observation = State;
  static constexpr bool random_steps = true;

  Index arms, size;        // k, d
  std::vector<S> weights;  // (k, d), row-major
  S sigma, low, high;

  Index state_size() const { return size; }
  Index state_columns() const { return size; }
  Index observation_size() const { return size; }

  void reset(State& state, Index lane, auto& draws) const {
    constexpr Index at_once = draws_per_block<S>;
    for (Index i = 0; i < size; i += at_once) {
      S uniforms[at_once];
      draws.uniforms(uniforms);
      for (Index j = 0; j < at_once && i + j < size; ++j) {
        state(lane, i + j) = low + (high - low) * uniforms[j];
      }
    }
  }

  void step(State& state, const DiscreteAction* actions, Lane& rewards, std::uint8_t* terminated,
            LaneDraws<S>& draws) const {
    typename LaneDraws<S>::Uniforms u;
    draws.uniforms(u);
    rewards = sigma * ((S(-2) * (S(1) - u[0]).log()).sqrt() *
                       (S(6.283185307179586476925286766559) * u[1]).cos());
    for (Index i = 0; i < size; ++i) {
      for (Index l = 0; l < env_lanes; ++l) {
        rewards[l] += weights[static_cast<std::size_t>(actions[l] * size + i)] * state(l, i);
      }
    }
    std::fill(terminated, terminated + env_lanes, std::uint8_t{1});
  }

  const State& observe(const State& state) const { return state; }
};

}  // namespace pgfast
