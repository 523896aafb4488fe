// Epochs of minibatches: how A2C, PPO, GRPO and cloning climb their surrogate, and how a value
// function goes down the slope of its error beside them.
//
//   repeat `epochs` times, in a new random order of the samples
//     for each minibatch of n samples
//       g   <- 1/n sum_b dL_b/dtheta           (surrogate.hpp)
//       g_V <- 1/n sum_b d/dphi (V_b - G_b)^2 / 2
//       stop everything where 1/n sum_b KL(pi_old || pi) is above its limit, or where a gradient is
//         not finite: the parameters are then what they were before this minibatch
//       shorten g and g_V where they are longer than `max_gradient_norm`
//       theta <- Adam up g,  phi <- Adam down g_V
//
// Memory plan: minibatch_network.hpp. Blocks of the policy and of the value function are two lists:
// two threads share out even a minibatch of one block each. On one thread a minibatch of 64 takes
// 2 % longer than both networks in one sweep, one of 256 as long. A thread mostly goes on with the
// network that it had before.
#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "pgfast/minibatch_network.hpp"
#include "pgfast/minibatch_policy.hpp"
#include "pgfast/minibatch_value.hpp"
#include "pgfast/shuffle.hpp"

namespace pgfast {

struct MinibatchSettings {
  Index epochs, batch_size;
  double max_gradient_norm;  // infinity: none
  double target_kl;          // infinity: none
  std::uint64_t seed;
  std::uint32_t stream;  // of the orders: one for each call; epoch e takes its draws from e n on
};

struct MinibatchOutcome {
  SurrogateSums means;       // over the samples of the last epoch that was begun
  double value_loss = 0;     // likewise
  double gradient_norm = 0;  // of the last minibatch, before it was shortened
  Index minibatches = 0;     // that were stepped along
  bool stopped = false;      // by target_kl

  // From sums over `count` samples to means.
  void scale(Index count) {
    const double factor = 1.0 / static_cast<double>(count);
    for (double* x : {&means.surrogate, &means.entropy, &means.kl, &means.clipped,
                      &means.kl_reference, &value_loss}) {
      *x *= factor;
    }
  }
};

// Changes the policy's parameters, and those of the value function where there is one (`value`
// null: none). `rows` (n) are the samples that count.
template <class S, class P, class V>
MinibatchOutcome climb_minibatches(const P& policy, AdamParameters<S>& theta,
                                   const Surrogate<S>& surrogate,
                                   const Samples<S, typename P::template Action<S>>& samples,
                                   std::vector<Index> rows, const V* value, AdamParameters<S>* phi,
                                   const ValueSamples<S>* value_samples,
                                   const MinibatchSettings& settings) {
  const auto n = static_cast<Index>(rows.size());
  const Index batch_size = std::min(settings.batch_size, n);
  using PolicyTile = detail::GatheredPolicyTile<S, P>;
  using ValueTile = detail::GatheredValueTile<S, V>;
  detail::MinibatchNetwork actor(theta, S{1}, surrogate_ns + policy.network.sample_ns(3), [&] {
    return std::make_unique<PolicyTile>(policy, theta.theta, surrogate, samples);
  });
  const auto make_value_tile = [&] {
    return std::make_unique<ValueTile>(*value, phi->theta, samples.states.observations,
                                       *value_samples);
  };
  std::optional<detail::MinibatchNetwork<S, decltype(make_value_tile)>> critic;
  if (value) critic.emplace(*phi, S{-1}, value->sample_ns(3), make_value_tile);

  MinibatchOutcome outcome;
  for (Index epoch = 0; epoch < settings.epochs; ++epoch) {
    if (batch_size < n) {
      shuffle(rows.data(), n, settings.seed, settings.stream,
              static_cast<std::uint64_t>(epoch * n));
    }
    outcome.means = {};
    outcome.value_loss = 0;
    for (Index begin = 0; begin < n; begin += batch_size) {
      const Index count = std::min(batch_size, n - begin);
      const S scale = S{1} / static_cast<S>(count);
      actor.begin(rows.data() + begin, count, scale);
      if (critic) {
        critic->begin(rows.data() + begin, count, scale);
        parallel_for(actor.blocks(), critic->blocks());
        outcome.value_loss += critic->sums();
      } else {
        parallel_for(actor.blocks());
      }
      const SurrogateSums sums = actor.sums();
      outcome.means += sums;
      if (sums.kl / static_cast<double>(count) > settings.target_kl) {
        outcome.stopped = true;
        outcome.scale(begin + count);
        return outcome;
      }
      outcome.gradient_norm = actor.shorten(settings.max_gradient_norm);
      const double value_norm = critic ? critic->shorten(settings.max_gradient_norm) : 0.0;
      if (!std::isfinite(outcome.gradient_norm + value_norm)) {  // not into Adam's moments
        outcome.gradient_norm += value_norm;
        outcome.scale(begin + count);
        return outcome;
      }
      actor.begin_step();
      if (critic) critic->begin_step();
      ++outcome.minibatches;
    }
    outcome.scale(n);
  }
  return outcome;
}

}  // namespace pgfast
