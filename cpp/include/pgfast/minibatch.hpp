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
// Memory plan: a tile of 32 samples is gathered from the batch, then a network goes forward and
// back over it while it lies in the first-level cache. A minibatch is cut into blocks of 128
// samples, a large one into at most 64 longer ones, whose gradients are added in block order: the
// same bits on any number of threads. Blocks of the policy and of the value function are two lists:
// on two threads even a minibatch of 64 is shared out, and on one it takes 2 % longer than both
// networks in one sweep, one of 256 as long. Adam's steps wait for the next minibatch, where each
// is made by the thread that goes on with that network: two 64 x 64 networks and 256 samples take
// 68 us on one thread and 37 on two, 38.5 where both steps are made in between. Tiles are made once
// per thread and call, gradients once per thread and minibatch.
#pragma once

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "pgfast/minibatch_tiles.hpp"
#include "pgfast/optimizers.hpp"
#include "pgfast/pending.hpp"
#include "pgfast/shuffle.hpp"
#include "pgfast/work_memory.hpp"

namespace pgfast {

// A parameter vector and Adam's state for it; all of it changes.
template <class S>
struct AdamParameters {
  S *theta, *m, *v;  // (size)
  Index size;
  std::int64_t count;  // of steps made
  S learning_rate, beta1, beta2, epsilon;

  // One step up (sign 1) or down (-1) the gradient.
  void step(const S* gradient, S sign) {
    adam_step(theta, gradient, m, v, size, ++count, sign * learning_rate, beta1, beta2, epsilon);
  }
};

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

namespace detail {

// Samples of one block. The number of blocks has an end, or else adding up the gradients of a whole
// batch in one minibatch would be much of the work.
inline Index minibatch_block(Index batch_size) {
  return std::max<Index>(128, ceil_div(ceil_div(batch_size, 64), tile_rows) * tile_rows);
}

// Shortens the vector to `longest` where it is longer; gives its length. The sum is in double, of
// 32 lanes: with 8, each addition would wait for the one before.
template <class S>
double shorten(S* vector, Index n, double longest) {
  Lanes<double, chunk> lanes = Lanes<double, chunk>::Zero();
  Index i = 0;
  for (; i + chunk <= n; i += chunk) {
    lanes += Eigen::Map<Lanes<S, chunk>>(vector + i).template cast<double>().square();
  }
  double square = lanes.sum();
  for (; i < n; ++i) square += static_cast<double>(vector[i]) * vector[i];
  const double norm = std::sqrt(square);
  if (norm > longest) {
    const S factor = static_cast<S>(longest / norm);
    for (i = 0; i < n; ++i) vector[i] *= factor;
  }
  return norm;
}

}  // namespace detail

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
  const Index block_size = detail::minibatch_block(batch_size),
              blocks = ceil_div(batch_size, block_size);
  const Index P_size = theta.size, V_size = value ? phi->size : 0, stride = P_size + V_size;

  using PolicyTile = detail::GatheredPolicyTile<S, P>;
  using ValueTile = detail::GatheredValueTile<S, V>;
  WorkMemory<PolicyTile> policy_tiles;
  WorkMemory<ValueTile> value_tiles;
  const auto make_policy_tile = [&] {
    return std::make_unique<PolicyTile>(policy, theta.theta, samples);
  };
  const auto make_value_tile = [&] {
    return std::make_unique<ValueTile>(*value, phi->theta, samples.states.observations,
                                       *value_samples);
  };
  std::vector<SurrogateSums> policy_sums(static_cast<std::size_t>(blocks));
  std::vector<double> value_errors(static_cast<std::size_t>(blocks));
  Buffer<S> gradient(stride);
  // Both steps are made as the next minibatch begins, each on the thread that goes on with it;
  // those of the last one however this ends.
  Pending theta_step, phi_step;
  const auto step_theta = [&] { theta_step.settle([&] { theta.step(gradient.data(), S{1}); }); };
  const auto step_phi = [&] {
    phi_step.settle([&] { phi->step(gradient.data() + P_size, S{-1}); });
  };
  const auto steps = at_exit([&] {
    step_theta();
    step_phi();
  });
  // Of a sample: 40 ns for the smallest policy; for a larger one, 2 flops forward and 4 back for
  // each parameter.
  const Index P_ns = 40 + P_size * 6 / 100, V_ns = 20 + V_size * 6 / 100;

  MinibatchOutcome outcome;
  for (Index epoch = 0; epoch < settings.epochs; ++epoch) {
    if (batch_size < n) {
      shuffle(rows.data(), n, settings.seed, settings.stream,
              static_cast<std::uint64_t>(epoch * n));
    }
    outcome.means = {};
    outcome.value_loss = 0;
    for (Index begin = 0; begin < n; begin += batch_size) {
      const Index count = std::min(batch_size, n - begin), used = ceil_div(count, block_size);
      const S scale = S{1} / static_cast<S>(count);
      const Index* order = rows.data() + begin;
      OrderedSum<S> policy_gradients(gradient.data(), P_size, used);
      OrderedSum<S> value_gradients(gradient.data() + P_size, V_size, used);
      // The sums of what add(order, rows, gradient) gives for each tile of a block.
      const auto add_block = [&](Index block, OrderedSum<S>& gradients, auto&& add) {
        S* block_gradient = gradients.zeros(block);
        decltype(add(order, Index{1}, block_gradient)) sums{};
        const Index first = block * block_size;
        for_each_tile(first, std::min(count, first + block_size),
                      [&](Index at, Index size) { sums += add(order + at, size, block_gradient); });
        gradients.add(block, block_gradient);
        return sums;
      };
      const auto policy_block = [&](Index block) {
        step_theta();
        const auto tile = policy_tiles.borrow(make_policy_tile);
        policy_sums[static_cast<std::size_t>(block)] = add_block(
            block, policy_gradients, [&](const Index* of_tile, Index size, S* block_gradient) {
              return tile->add(surrogate, of_tile, size, scale, block_gradient);
            });
      };
      const auto value_block = [&](Index block) {
        step_phi();
        const auto tile = value_tiles.borrow(make_value_tile);
        value_errors[static_cast<std::size_t>(block)] = add_block(
            block, value_gradients, [&](const Index* of_tile, Index size, S* block_gradient) {
              return tile->add(of_tile, size, scale, block_gradient);
            });
      };
      const Index longest = std::min(count, block_size);
      parallel_for(Blocks{used, longest * P_ns, policy_block},
                   Blocks{value ? used : 0, longest * V_ns, value_block});
      SurrogateSums sums;
      for (Index block = 0; block < used; ++block) {
        sums += policy_sums[static_cast<std::size_t>(block)];
        outcome.value_loss += value_errors[static_cast<std::size_t>(block)];
      }
      outcome.means += sums;
      if (sums.kl / static_cast<double>(count) > settings.target_kl) {
        outcome.stopped = true;
        outcome.scale(begin + count);
        return outcome;
      }
      outcome.gradient_norm = detail::shorten(gradient.data(), P_size, settings.max_gradient_norm);
      const double value_norm =
          value ? detail::shorten(gradient.data() + P_size, V_size, settings.max_gradient_norm)
                : 0.0;
      if (!std::isfinite(outcome.gradient_norm + value_norm)) {  // not into Adam's moments
        outcome.gradient_norm += value_norm;
        outcome.scale(begin + count);
        return outcome;
      }
      theta_step.begin();
      if (value) phi_step.begin();
      ++outcome.minibatches;
      policy_tiles.for_each([](PolicyTile& tile) { tile.theta_changed(); });
      value_tiles.for_each([](ValueTile& tile) { tile.theta_changed(); });
    }
    outcome.scale(n);
  }
  return outcome;
}

}  // namespace pgfast
