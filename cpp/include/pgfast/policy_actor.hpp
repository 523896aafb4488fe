// A policy as an actor: sampling, or greedy.
#pragma once

#include <memory>

#include "pgfast/actor.hpp"
#include "pgfast/policy.hpp"
#include "pgfast/stream_tile.hpp"

namespace pgfast {

// A policy that samples: stream = row, index = how often it has been asked before.
template <class S, class P>
class SamplingActor final : public Actor<S, typename P::template Action<S>> {
 public:
  SamplingActor(const P& policy, const S* theta, std::uint64_t seed)
      : policy_(policy),
        theta_(theta),
        seed_(seed),
        tile_(policy, theta),
        draws_(seed, Purpose::action) {}

  Index action_size() const override { return policy_.distribution.action_size(); }

  void act(const S* observations, Index rows, std::uint32_t first_stream, std::uint64_t index,
           typename P::template Action<S>* actions, S* log_probs) override {
    tile_.forward(observations, rows);
    tile_.distribution.sample(draws_, first_stream, index, actions);
    if (log_probs) tile_.distribution.log_prob(actions, log_probs);
  }

  std::unique_ptr<Actor<S, typename P::template Action<S>>> clone() const override {
    return std::make_unique<SamplingActor>(policy_, theta_, seed_);
  }

 private:
  const P& policy_;
  const S* theta_;
  std::uint64_t seed_;
  PolicyTile<S, P> tile_;
  StreamTile<S> draws_;
};

// A policy that takes its most probable action; needs no random numbers.
template <class S, class P>
class GreedyActor final : public Actor<S, typename P::template Action<S>> {
 public:
  GreedyActor(const P& policy, const S* theta)
      : policy_(policy), theta_(theta), tile_(policy, theta) {}

  Index action_size() const override { return policy_.distribution.action_size(); }

  void act(const S* observations, Index rows, std::uint32_t, std::uint64_t,
           typename P::template Action<S>* actions, S* log_probs) override {
    tile_.forward(observations, rows);
    tile_.distribution.mode(actions);
    if (log_probs) tile_.distribution.log_prob(actions, log_probs);
  }

  std::unique_ptr<Actor<S, typename P::template Action<S>>> clone() const override {
    return std::make_unique<GreedyActor>(policy_, theta_);
  }

 private:
  const P& policy_;
  const S* theta_;
  PolicyTile<S, P> tile_;
};

// Actions for a batch, row b from stream `first_stream + b`.
template <class S, class P>
void sample(const P& policy, const S* theta, const States<S>& states, std::uint64_t seed,
            std::uint32_t first_stream, std::uint64_t index,
            typename P::template Action<S>* actions) {
  const Index A = policy.distribution.action_size();
  map_tiles(policy, theta, states, [&](auto& tile, Index first, Index) {
    StreamTile<S> draws(seed, Purpose::action);
    tile.distribution.sample(draws, first_stream + static_cast<std::uint32_t>(first), index,
                             actions + first * A);
  });
}

}  // namespace pgfast
