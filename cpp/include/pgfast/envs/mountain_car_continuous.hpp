// MountainCarContinuous-v0: the car of mountain_car.hpp with a force to choose, which costs. As in
// Gymnasium the force is clipped to [-1, 1], its price is not.
#pragma once

#include "pgfast/envs/mountain_car.hpp"

namespace pgfast {

template <class S>
struct MountainCarContinuous {
  using Scalar = S;
  using Action = S;
  using Lane = Lanes<S, env_lanes>;
  using State = typename Valley<S>::State;
  using Observation = State;
  using Actions = Eigen::Array<S, env_lanes, 1>;

  static constexpr S power = S(0.0015), max_action = S(1);

  Valley<S> valley{S(0.45), S(0)};

  void reset(State& state, Index lane, auto& draws) const { valley.reset(state, lane, draws); }

  void step(State& state, const Actions& actions, Lane& rewards, std::uint8_t* terminated) const {
    const Lane push = actions.max(-max_action).min(max_action) * power;
    valley.roll(state, push, terminated);
    const Lane price = S(0.1) * actions.square();
    for (Index l = 0; l < env_lanes; ++l) {
      rewards[l] = (terminated[l] ? S{100} : S{0}) - price[l];
    }
  }

  const Observation& observe(const State& state) const { return state; }
};

}  // namespace pgfast
