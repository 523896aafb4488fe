// MovingParticle-v0: a particle in the square [-1, 1]^2 is pushed to a target, in one of four
// directions or not at all. With acceleration a in {-1, 0, 1}^2, friction 1/2 and dt = 0.1
//
//   v <- clip(v + (a - v / 2) dt, -1, 1),   p <- clip(p + v dt, -1, 1)
//
// and a wall stops the velocity toward it. The reward is minus the distance to the target after the
// step; closer than 0.1 the episode ends. It begins at rest, particle and target uniform on the
// square. State and observation: position, velocity, target.
#pragma once

#include "pgfast/lane_env.hpp"

namespace pgfast {

// The plane that the discrete and the continuous particle share.
template <class S>
struct ParticlePlane {
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, 6>;

  static constexpr S limit = S(1), friction = S(0.5), dt = S(0.1), target_radius = S(0.1);

  static void reset(State& state, Index lane, auto& draws) {
    S uniforms[4];
    draws.uniforms(uniforms);
    for (Index i = 0; i < 2; ++i) {
      state(lane, i) = -limit + (limit + limit) * uniforms[i];
      state(lane, 2 + i) = S{0};
      state(lane, 4 + i) = -limit + (limit + limit) * uniforms[2 + i];
    }
  }

  static void move(State& state, const Lane& ax, const Lane& ay, Lane& rewards,
                   std::uint8_t* terminated) {
    const Lane* accelerations[2] = {&ax, &ay};
    for (Index i = 0; i < 2; ++i) {
      const Lane v = (state.col(2 + i) + (*accelerations[i] - friction * state.col(2 + i)) * dt)
                         .max(-limit)
                         .min(limit);
      const Lane p = state.col(i) + v * dt;
      state.col(i) = p.max(-limit).min(limit);
      S* velocity = &state(0, 2 + i);
      for (Index l = 0; l < env_lanes; ++l) velocity[l] = std::abs(p[l]) > limit ? S{0} : v[l];
    }
    const Lane distance =
        ((state.col(0) - state.col(4)).square() + (state.col(1) - state.col(5)).square()).sqrt();
    rewards = -distance;
    for (Index l = 0; l < env_lanes; ++l) {
      terminated[l] = static_cast<std::uint8_t>(distance[l] < target_radius);
    }
  }
};

template <class S>
struct MovingParticle {
  using Scalar = S;
  using Action = DiscreteAction;
  using Lane = Lanes<S, env_lanes>;
  using State = typename ParticlePlane<S>::State;
  using Observation = State;

  static constexpr Index directions = 5;  // none, left, right, down, up

  void reset(State& state, Index lane, auto& draws) const {
    ParticlePlane<S>::reset(state, lane, draws);
  }

  void step(State& state, const DiscreteAction* actions, Lane& rewards,
            std::uint8_t* terminated) const {
    Lane ax, ay;
    for (Index l = 0; l < env_lanes; ++l) {
      const auto action = static_cast<std::int32_t>(actions[l]);
      ax[l] = static_cast<S>((action == 2) - (action == 1));
      ay[l] = static_cast<S>((action == 4) - (action == 3));
    }
    ParticlePlane<S>::move(state, ax, ay, rewards, terminated);
  }

  const Observation& observe(const State& state) const { return state; }
};

}  // namespace pgfast
