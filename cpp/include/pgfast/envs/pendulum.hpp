// Pendulum-v1: a pendulum to be swung up and held by a torque that is too weak to lift it, with
// Gymnasium's constants and its semi-implicit Euler step. State: theta (0 is upright, any number of
// turns), theta_dot. Observation: cos theta, sin theta, theta_dot.
#pragma once

#include "pgfast/lane_env.hpp"
#include "pgfast/sine_cosine.hpp"

namespace pgfast {

template <class S>
struct Pendulum {
  using Scalar = S;
  using Action = S;
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, 2>;
  using Observation = Eigen::Array<S, env_lanes, 3>;
  using Actions = Eigen::Array<S, env_lanes, 1>;

  static constexpr S pi = S(3.14159265358979323846), turn = S(2 * 3.14159265358979323846);
  static constexpr S max_speed = S(8), max_torque = S(2), dt = S(0.05);
  static constexpr S start_angle = pi, start_speed = S(1);

  S gravity = S(10);

  void reset(State& state, Index lane, auto& draws) const {
    S uniforms[2];
    draws.uniforms(uniforms);
    state(lane, 0) = -start_angle + (start_angle + start_angle) * uniforms[0];
    state(lane, 1) = -start_speed + (start_speed + start_speed) * uniforms[1];
  }

  // The reward is of the state and the clipped torque before the step.
  void step(State& state, const Actions& actions, Lane& rewards, std::uint8_t* terminated) const {
    const Lane theta = state.col(0), theta_dot = state.col(1);
    const Lane torque = actions.col(0).max(-max_torque).min(max_torque);
    const Lane shifted = theta + pi;
    const Lane angle = shifted - turn * (shifted / turn).floor() - pi;  // in [-pi, pi]
    rewards = -(angle.square() + S(0.1) * theta_dot.square() + S(0.001) * torque.square());

    const Lane sine = sine_cosine<env_lanes>(theta).sine;
    const Lane faster = theta_dot + (S(1.5) * gravity * sine + S(3) * torque) * dt;
    state.col(1) = faster.max(-max_speed).min(max_speed);
    state.col(0) = theta + state.col(1) * dt;
    std::fill(terminated, terminated + env_lanes, std::uint8_t{0});
  }

  Observation observe(const State& state) const {
    Observation observation;
    const auto [sine, cosine] = sine_cosine<env_lanes>(Lane(state.col(0)));
    observation.col(0) = cosine;
    observation.col(1) = sine;
    observation.col(2) = state.col(1);
    return observation;
  }
};

}  // namespace pgfast
