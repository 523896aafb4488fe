// CartPole-v1: a pole on a cart, pushed left or right (Barto, Sutton & Anderson 1983), with
// Gymnasium's constants and its Euler step. State and observation: x, x_dot, theta, theta_dot.
#pragma once

#include <cmath>

#include "pgfast/lane_env.hpp"
#include "pgfast/sine_cosine.hpp"

namespace pgfast {

template <class S>
struct CartPole {
  using Scalar = S;
  using Action = DiscreteAction;
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, 4>;
  using Observation = State;

  static constexpr S gravity = S(9.8), cart_mass = S(1.0), pole_mass = S(0.1);
  static constexpr S per_mass = S(1 / (0.1 + 1.0)), half_length = S(0.5);
  static constexpr S pole_mass_length = S(0.1 * 0.5);
  static constexpr S force = S(10.0), dt = S(0.02);
  static constexpr S x_limit = S(2.4), theta_limit = S(12 * 2 * 3.14159265358979323846 / 360);
  static constexpr S start_range = S(0.05);

  bool sutton_barto_reward = false;  // -1 where the pole falls, else 0; instead of 1 a step

  void reset(State& state, Index lane, auto& draws) const {
    S uniforms[4];
    draws.uniforms(uniforms);
    for (Index i = 0; i < 4; ++i) {
      state(lane, i) = -start_range + (start_range + start_range) * uniforms[i];
    }
  }

  void step(State& state, const DiscreteAction* actions, Lane& rewards,
            std::uint8_t* terminated) const {
    Lane push;  // by way of int32: 64-bit integers have no vector conversion before AVX-512
    for (Index l = 0; l < env_lanes; ++l) {
      push[l] = static_cast<S>(2 * static_cast<std::int32_t>(actions[l]) - 1) * force;
    }

    const Lane x = state.col(0), x_dot = state.col(1), theta = state.col(2),
               theta_dot = state.col(3);
    const auto [sine, cosine] = sine_cosine<env_lanes>(theta);
    const Lane temp = (push + pole_mass_length * theta_dot.square() * sine) * per_mass;
    const Lane theta_acc = (gravity * sine - cosine * temp) /
                           (half_length * (S(4.0 / 3.0) - pole_mass * per_mass * cosine.square()));
    const Lane x_acc = temp - pole_mass_length * per_mass * theta_acc * cosine;

    state.col(0) = x + dt * x_dot;
    state.col(1) = x_dot + dt * x_acc;
    state.col(2) = theta + dt * theta_dot;
    state.col(3) = theta_dot + dt * theta_acc;

    const S* x_now = &state(0, 0);
    const S* theta_now = &state(0, 2);
    for (Index l = 0; l < env_lanes; ++l) {
      const bool x_out = std::abs(x_now[l]) > x_limit,
                 theta_out = std::abs(theta_now[l]) > theta_limit;
      terminated[l] = static_cast<std::uint8_t>(x_out | theta_out);
    }
    if (sutton_barto_reward) {
      for (Index l = 0; l < env_lanes; ++l) rewards[l] = terminated[l] ? S{-1} : S{0};
    } else {
      rewards.setOnes();
    }
  }

  const Observation& observe(const State& state) const { return state; }
};

}  // namespace pgfast
