// MountainCar-v0: a car too weak for the hill must swing up from the valley (Moore 1990), with
// Gymnasium's constants. State and observation: position, velocity.
#pragma once

#include "pgfast/lane_env.hpp"
#include "pgfast/sine_cosine.hpp"

namespace pgfast {

// The valley that the discrete and the continuous car share.
template <class S>
struct Valley {
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, 2>;

  static constexpr S min_position = S(-1.2), max_position = S(0.6), max_speed = S(0.07);
  static constexpr S gravity = S(0.0025), start_low = S(-0.6), start_high = S(-0.4);

  S goal_position, goal_velocity;

  void reset(State& state, Index lane, auto& draws) const {
    S uniforms[1];
    draws.uniforms(uniforms);
    state(lane, 0) = start_low + (start_high - start_low) * uniforms[0];
    state(lane, 1) = S{0};
  }

  // The step of cars that are pushed by `push`; the left wall stops them.
  void roll(State& state, const Lane& push, std::uint8_t* terminated) const {
    const Lane slope = sine_cosine<env_lanes>(Lane(S(3) * state.col(0))).cosine;
    const Lane velocity = (state.col(1) + (push - gravity * slope)).max(-max_speed).min(max_speed);
    state.col(0) = (state.col(0) + velocity).max(min_position).min(max_position);
    const S* position = &state(0, 0);
    S* speed = &state(0, 1);
    for (Index l = 0; l < env_lanes; ++l) {
      const bool stopped = (position[l] == min_position) & (velocity[l] < S{0});
      speed[l] = stopped ? S{0} : velocity[l];
      terminated[l] =
          static_cast<std::uint8_t>((position[l] >= goal_position) & (speed[l] >= goal_velocity));
    }
  }
};

template <class S>
struct MountainCar {
  using Scalar = S;
  using Action = DiscreteAction;
  using Lane = Lanes<S, env_lanes>;
  using State = typename Valley<S>::State;
  using Observation = State;

  static constexpr S force = S(0.001);

  Valley<S> valley{S(0.5), S(0)};

  void reset(State& state, Index lane, auto& draws) const { valley.reset(state, lane, draws); }

  void step(State& state, const DiscreteAction* actions, Lane& rewards,
            std::uint8_t* terminated) const {
    Lane push;
    for (Index l = 0; l < env_lanes; ++l) {
      push[l] = static_cast<S>(static_cast<std::int32_t>(actions[l]) - 1) * force;
    }
    valley.roll(state, push, terminated);
    rewards.setConstant(S{-1});
  }

  const Observation& observe(const State& state) const { return state; }
};

}  // namespace pgfast
