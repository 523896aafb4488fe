// A finite environment: from state s, action a leads to one of a list of outcomes, each with its
// probability, next state, reward and whether it ends the episode. FrozenLake, CliffWalking and
// Taxi are tables of it.
//
// Outcome k is taken where the uniform draw u is the first below the cumulated probabilities up to
// k, as in Gymnasium. State: s, the probability of the last outcome (1 after a reset), and the same
// from before a reset. Observation: s alone, a number that float32 holds exactly.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "pgfast/lane_env.hpp"

namespace pgfast {

template <class S>
struct OutcomeTable {
  struct Outcome {
    S cumulated, probability, reward;
    std::int32_t next;
    std::uint8_t terminated;
  };
  Index states, actions;
  std::vector<Outcome> outcomes;  // by state, then action
  std::vector<Index> first;       // (states * actions + 1): where a pair's outcomes begin
  std::vector<S> start;           // (states): cumulated probabilities of the first state
};

template <class S>
struct Tabular {
  using Scalar = S;
  using Action = DiscreteAction;
  using Lane = Lanes<S, env_lanes>;
  using State = Eigen::Array<S, env_lanes, 3>;
  using Observation = Eigen::Array<S, env_lanes, 1>;
  static constexpr bool random_steps = true;

  std::shared_ptr<const OutcomeTable<S>> table;

  void reset(State& state, Index lane, auto& draws) const {
    S uniforms[1];
    draws.uniforms(uniforms);
    const auto& start = table->start;
    const auto chosen = std::upper_bound(start.begin(), start.end() - 1, uniforms[0]);
    state(lane, 0) = static_cast<S>(chosen - start.begin());
    state(lane, 1) = S{1};
  }

  void step(State& state, const DiscreteAction* actions, Lane& rewards, std::uint8_t* terminated,
            LaneDraws<S>& draws) const {
    typename LaneDraws<S>::Uniforms uniforms;
    draws.uniforms(uniforms);
    for (Index l = 0; l < env_lanes; ++l) {
      const Index pair = static_cast<Index>(state(l, 0)) * table->actions + actions[l];
      const auto* outcome = table->outcomes.data() + table->first[static_cast<std::size_t>(pair)];
      while (outcome->cumulated <= uniforms[0][l]) ++outcome;  // the last one's is above 1
      state(l, 0) = static_cast<S>(outcome->next);
      state(l, 1) = state(l, 2) = outcome->probability;
      rewards[l] = outcome->reward;
      terminated[l] = outcome->terminated;
    }
  }

  auto observe(const State& state) const { return state.col(0); }

  bool valid(const S* state) const {
    return state[0] >= S{0} && state[0] < static_cast<S>(table->states) &&
           state[0] == std::floor(state[0]);
  }
};

}  // namespace pgfast
