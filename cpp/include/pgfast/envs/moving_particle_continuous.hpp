// MovingParticleContinuous-v0: the particle of moving_particle.hpp, its acceleration any in
// [-1, 1]^2; what lies outside is clipped.
#pragma once

#include "pgfast/envs/moving_particle.hpp"

namespace pgfast {

template <class S>
struct MovingParticleContinuous {
  using Scalar = S;
  using Action = S;
  using Lane = Lanes<S, env_lanes>;
  using State = typename ParticlePlane<S>::State;
  using Observation = State;
  using Actions = Eigen::Array<S, env_lanes, 2>;

  static constexpr S max_action = S(1);

  void reset(State& state, Index lane, auto& draws) const {
    ParticlePlane<S>::reset(state, lane, draws);
  }

  void step(State& state, const Actions& actions, Lane& rewards, std::uint8_t* terminated) const {
    const Actions clipped = actions.max(-max_action).min(max_action);
    ParticlePlane<S>::move(state, clipped.col(0), clipped.col(1), rewards, terminated);
  }

  const Observation& observe(const State& state) const { return state; }
};

}  // namespace pgfast
