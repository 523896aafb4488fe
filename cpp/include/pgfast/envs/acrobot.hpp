// Acrobot-v1: two links hang from a joint; a torque at the second joint has to swing the tip above
// a line (Sutton 1996), with Gymnasium's constants, the equations of Sutton & Barto's book and one
// Runge-Kutta step of 0.2 s. State: theta1 (0 hangs down), theta2 (relative to the first link),
// their velocities. Observation: cosine and sine of each angle, the velocities.
//
// With m = l = I = 1 and centres of mass at 1/2 the book's equations are
//
//   d1 = 7/2 + cos theta2,   d2 = 5/4 + cos(theta2) / 2
//   phi2 = g/2 sin(theta1 + theta2)
//   phi1 = -theta2' (theta2' / 2 + theta1') sin theta2 + 3/2 g sin theta1 + phi2
//   theta2'' = (torque + d2/d1 phi1 - theta1'^2 / 2 sin theta2 - phi2) / (5/4 - d2^2/d1)
//   theta1'' = -(d2 theta2'' + phi1) / d1
#pragma once

#include "pgfast/lane_env.hpp"
#include "pgfast/sine_cosine.hpp"

namespace pgfast {

template <class S>
struct Acrobot {
  using Scalar = S;
  using Action = DiscreteAction;
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, 4>;
  using Observation = Eigen::Array<S, env_lanes, 6>;

  static constexpr S pi = S(3.14159265358979323846), turn = S(2 * 3.14159265358979323846);
  static constexpr S max_velocity_1 = S(4 * 3.14159265358979323846);
  static constexpr S max_velocity_2 = S(9 * 3.14159265358979323846);
  static constexpr S gravity = S(9.8), dt = S(0.2), start_range = S(0.1);

  static constexpr Index step_ns = 12;

  void reset(State& state, Index lane, auto& draws) const {
    S uniforms[4];
    draws.uniforms(uniforms);
    for (Index i = 0; i < 4; ++i) {
      state(lane, i) = -start_range + (start_range + start_range) * uniforms[i];
    }
  }

  void step(State& state, const DiscreteAction* actions, Lane& rewards,
            std::uint8_t* terminated) const {
    Lane torque;
    for (Index l = 0; l < env_lanes; ++l) {
      torque[l] = static_cast<S>(static_cast<std::int32_t>(actions[l]) - 1);
    }
    const State k1 = derivatives(state, torque);
    const State k2 = derivatives(state + dt / 2 * k1, torque);
    const State k3 = derivatives(state + dt / 2 * k2, torque);
    const State k4 = derivatives(state + dt * k3, torque);
    state += dt / 6 * (k1 + S(2) * k2 + S(2) * k3 + k4);

    state.col(0) = wrapped(state.col(0));
    state.col(1) = wrapped(state.col(1));
    state.col(2) = state.col(2).max(-max_velocity_1).min(max_velocity_1);
    state.col(3) = state.col(3).max(-max_velocity_2).min(max_velocity_2);

    const Lane theta1 = state.col(0), both = theta1 + state.col(1);
    const Lane height =
        -sine_cosine<env_lanes>(theta1).cosine - sine_cosine<env_lanes>(both).cosine;
    for (Index l = 0; l < env_lanes; ++l) {
      terminated[l] = static_cast<std::uint8_t>(height[l] > S{1});
      rewards[l] = terminated[l] ? S{0} : S{-1};
    }
  }

  Observation observe(const State& state) const {
    Observation observation;
    for (Index i = 0; i < 2; ++i) {
      const auto [sine, cosine] = sine_cosine<env_lanes>(Lane(state.col(i)));
      observation.col(2 * i) = cosine;
      observation.col(2 * i + 1) = sine;
    }
    observation.col(4) = state.col(2);
    observation.col(5) = state.col(3);
    return observation;
  }

 private:
  static State derivatives(const State& state, const Lane& torque) {
    const Lane theta1 = state.col(0), theta2 = state.col(1), dtheta1 = state.col(2),
               dtheta2 = state.col(3);
    const auto [sine, cosine] = sine_cosine<env_lanes>(theta2);
    const Lane d1 = S(3.5) + cosine, d2 = S(1.25) + S(0.5) * cosine;
    const Lane ratio = d2 / d1;
    const Lane phi2 = S(0.5) * gravity * sine_cosine<env_lanes>(Lane(theta1 + theta2)).sine;
    const Lane phi1 = S(1.5) * gravity * sine_cosine<env_lanes>(theta1).sine + phi2 -
                      dtheta2 * (S(0.5) * dtheta2 + dtheta1) * sine;
    State out;
    out.col(0) = dtheta1;
    out.col(1) = dtheta2;
    out.col(3) =
        (torque + ratio * phi1 - S(0.5) * dtheta1.square() * sine - phi2) / (S(1.25) - d2 * ratio);
    out.col(2) = -(d2 * out.col(3) + phi1) / d1;
    return out;
  }

  static Lane wrapped(const Lane& angle) {  // to (-pi, pi]
    return angle - turn * ((angle - pi) / turn).ceil();
  }
};

}  // namespace pgfast
