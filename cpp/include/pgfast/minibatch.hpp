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
// Memory plan: a tile of 32 samples is gathered from the batch, then policy and value function go
// forward and back over it while it lies in the first-level cache. A minibatch is cut into blocks
// of 128 samples, a large one into at most 64 longer ones, whose gradients are added in block
// order: the same bits on any number of threads. Tiles are made once per thread and
// call, gradients once per thread and minibatch.
#pragma once

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "pgfast/optimizers.hpp"
#include "pgfast/shuffle.hpp"
#include "pgfast/surrogate.hpp"
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

// What the value function is fitted to.
template <class S>
struct ValueSamples {
  const S* targets;     // (count) G
  const S* old_values;  // (count); null without clipping
  S clip;               // V is held within old V +- clip, the larger error counts
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

// A tile of samples copied from all over the batch.
template <class S, class Action>
class Gathered {
 public:
  Gathered(const Samples<S, Action>& from, const ValueSamples<S>* values, Index D, Index A, Index Z)
      : from_(from),
        values_(values),
        D_(D),
        A_(A),
        Z_(Z),
        observations_(tile_rows * D),
        old_z_(from.old_z ? tile_rows * Z : 0),
        reference_z_(from.reference_z ? tile_rows * Z : 0),
        actions_(tile_rows * A),
        masks_(from.states.masks ? tile_rows * Z : 0) {}

  Samples<S, Action> samples(const Index* order, Index rows) {
    const auto copy = [](const auto* source, Index from, Index width, auto* target, Index to) {
      std::copy_n(source + from * width, width, target + to * width);
    };
    for (Index r = 0; r < rows; ++r) {
      const Index b = order[r];
      copy(from_.states.observations, b, D_, observations_.data(), r);
      copy(from_.actions, b, A_, actions_.data(), r);
      if (from_.states.masks) copy(from_.states.masks, b, Z_, masks_.data(), r);
      if (from_.log_probs) log_probs_[r] = from_.log_probs[b];
      advantages_[r] = from_.advantages[b];
      if (from_.old_z) copy(from_.old_z, b, Z_, old_z_.data(), r);
      if (from_.reference_z) copy(from_.reference_z, b, Z_, reference_z_.data(), r);
      if (values_) targets_[r] = values_->targets[b];
      if (values_ && values_->old_values) old_values_[r] = values_->old_values[b];
    }
    return {{observations_.data(), rows, from_.states.masks ? masks_.data() : nullptr},
            actions_.data(),
            from_.log_probs ? log_probs_ : nullptr,
            advantages_,
            from_.old_z ? old_z_.data() : nullptr,
            from_.reference_z ? reference_z_.data() : nullptr};
  }
  const S* targets() const { return targets_; }
  const S* old_values() const { return old_values_; }

 private:
  const Samples<S, Action>& from_;
  const ValueSamples<S>* values_;
  Index D_, A_, Z_;
  Buffer<S> observations_, old_z_, reference_z_;
  Buffer<Action> actions_;
  Buffer<bool> masks_;
  S log_probs_[tile_rows], advantages_[tile_rows], targets_[tile_rows], old_values_[tile_rows];
};

// dz (rows) = scale * d/dV of the error; returns the sum of errors.
template <class S>
double value_error(const S* values, const S* targets, const S* old_values, S clip, Index rows,
                   S scale, S* dz) {
  double sum = 0;
  for (Index r = 0; r < rows; ++r) {
    const S error = values[r] - targets[r];
    S half_square = S(0.5) * error * error;
    dz[r] = scale * error;
    if (old_values) {
      const S low = old_values[r] - clip, high = old_values[r] + clip;
      const S held = values[r] < low ? low : values[r] > high ? high : values[r];
      const S other = held - targets[r];
      if (S(0.5) * other * other > half_square) {
        half_square = S(0.5) * other * other;
        dz[r] = held == values[r] ? scale * other : S{0};
      }
    }
    sum += static_cast<double>(half_square);
  }
  return sum;
}

// Shortens the vector to `longest` where it is longer; gives its length. The sum is in double, of
// eight lanes.
template <class S>
double shorten(S* vector, Index n, double longest) {
  Lanes<double, 8> lanes = Lanes<double, 8>::Zero();
  Index i = 0;
  for (; i + 8 <= n; i += 8) {
    lanes += Eigen::Map<Lanes<S, 8>>(vector + i).template cast<double>().square();
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

  struct Tile {
    SurrogateTile<S, P> policy;
    std::unique_ptr<typename V::template Tile<S>> value;
    detail::Gathered<S, typename P::template Action<S>> gathered;
  };
  const auto make_tile = [&] {
    return std::unique_ptr<Tile>(new Tile{
        SurrogateTile<S, P>(policy, theta.theta),
        value ? std::make_unique<typename V::template Tile<S>>(*value, phi->theta) : nullptr,
        {samples, value_samples, policy.network.input_size(), policy.distribution.action_size(),
         policy.network.output_size()}});
  };
  WorkMemory<Tile> tiles;
  struct BlockSums {
    SurrogateSums policy;
    double value_error = 0;
  };
  std::vector<BlockSums> block_sums(static_cast<std::size_t>(blocks));
  Buffer<S> gradient(stride);
  // A sample of the smallest policy takes 40 ns; of larger ones, 2 flops forward and 4 back for
  // each parameter.
  const Index block_ns = block_size * (40 + stride * 6 / 100);

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
      OrderedSum<S> gradients(gradient.data(), stride, used);
      parallel_for(used, block_ns, [&](Index block) {
        const auto tile = tiles.borrow(make_tile);
        S* block_gradient = gradients.zeros(block);
        BlockSums& sums = block_sums[static_cast<std::size_t>(block)] = {};
        const Index first = block * block_size;
        for_each_tile(first, std::min(count, first + block_size), [&](Index at, Index size) {
          const auto gathered = tile->gathered.samples(rows.data() + begin + at, size);
          sums.policy += tile->policy.add(surrogate, gathered, scale, block_gradient);
          if (!value) return;
          const S* values = tile->value->forward(gathered.states.observations, size);
          S dz[tile_rows];
          sums.value_error +=
              detail::value_error(values, tile->gathered.targets(),
                                  value_samples->old_values ? tile->gathered.old_values() : nullptr,
                                  value_samples->clip, size, scale, dz);
          tile->value->backward(dz, block_gradient + P_size);
        });
        gradients.add(block, block_gradient);
      });
      SurrogateSums sums;
      for (Index block = 0; block < used; ++block) {
        sums += block_sums[static_cast<std::size_t>(block)].policy;
        outcome.value_loss += block_sums[static_cast<std::size_t>(block)].value_error;
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
      theta.step(gradient.data(), S{1});
      if (value) phi->step(gradient.data() + P_size, S{-1});
      ++outcome.minibatches;
      tiles.for_each([&](Tile& tile) {
        tile.policy.theta_changed();
        if (value) tile.value->theta_changed();
      });
    }
    outcome.scale(n);
  }
  return outcome;
}

}  // namespace pgfast
