// RockPaperScissors-v0: rounds against an opponent that learns. It predicts the player's move as
// the most frequent one so far in the episode (of several, one at random) and plays what beats it.
// Moves: 0 rock, 1 paper, 2 scissors; move m is beaten by m + 1 mod 3. Reward: 1, 0 or -1.
//
// Observation: the last `memory` rounds, newest first, each the player's and the opponent's move as
// one-hot numbers, zero for rounds not yet played; with memory 0 the constant 1. State: how often
// each move was played, then the observation.
#pragma once

#include <algorithm>

#include "pgfast/lane_env.hpp"

namespace pgfast {

template <class S>
struct RockPaperScissors {
  using Scalar = S;
  using Action = DiscreteAction;
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, Eigen::Dynamic>;
  using Observation = State;
  static constexpr bool random_steps = true;
  static constexpr Index moves = 3, round_size = 2 * moves;

  Index memory = 0;

  Index observation_size() const { return std::max<Index>(1, memory * round_size); }
  Index state_size() const { return moves + observation_size(); }
  Index state_columns() const { return state_size(); }

  void reset(State& state, Index lane, auto&) const {
    state.row(lane).setZero();
    if (memory == 0) state(lane, moves) = S{1};
  }

  void step(State& state, const DiscreteAction* actions, Lane& rewards, std::uint8_t* terminated,
            LaneDraws<S>& draws) const {
    typename LaneDraws<S>::Uniforms uniforms;
    draws.uniforms(uniforms);
    for (Index i = state_size() - 1; i >= moves + round_size; --i) {
      state.col(i) = state.col(i - round_size);
    }
    if (memory > 0) state.middleCols(moves, round_size).setZero();
    for (Index l = 0; l < env_lanes; ++l) {
      const Index move = actions[l];
      const Index opponent = (predicted(state, l, uniforms[0][l]) + 1) % moves;
      const Index lead = (move - opponent + moves) % moves;  // 0 draw, 1 won, 2 lost
      rewards[l] = static_cast<S>(lead == 2 ? -1 : lead);
      terminated[l] = 0;
      state(l, move) += S{1};
      if (memory > 0) {
        state(l, moves + move) = S{1};
        state(l, 2 * moves + opponent) = S{1};
      }
    }
  }

  auto observe(const State& state) const { return state.rightCols(observation_size()); }

  // No number is NaN, which is never the most; what was played was played so often or never.
  bool valid(const S* state) const {
    return std::all_of(state, state + state_size(), [](S count) { return count >= S{0}; });
  }

 private:
  static Index predicted(const State& state, Index l, S uniform) {
    const S most = std::max({state(l, 0), state(l, 1), state(l, 2)});
    Index candidates[moves], count = 0;
    for (Index m = 0; m < moves; ++m) {
      if (state(l, m) == most) candidates[count++] = m;
    }
    return candidates[std::min(count - 1, static_cast<Index>(uniform * static_cast<S>(count)))];
  }
};

}  // namespace pgfast
