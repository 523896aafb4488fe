// The tiles of a minibatch: samples from all over a batch, copied side by side, go forward and back
// through the policy or the value function while they lie in the first-level cache.
#pragma once

#include "pgfast/surrogate.hpp"

namespace pgfast {

// What the value function is fitted to.
template <class S>
struct ValueSamples {
  const S* targets;     // (count) G
  const S* old_values;  // (count); null without clipping
  S clip;               // V is held within old V +- clip, the larger error counts
};

namespace detail {

// The policy's tile, with what is copied to it from all over the batch.
template <class S, class P>
class GatheredPolicyTile {
 public:
  using Action = typename P::template Action<S>;

  GatheredPolicyTile(const P& policy, const S* theta, const Samples<S, Action>& from)
      : tile_(policy, theta),
        from_(from),
        D_(policy.network.input_size()),
        A_(policy.distribution.action_size()),
        Z_(policy.network.output_size()),
        observations_(tile_rows * D_),
        old_z_(from.old_z ? tile_rows * Z_ : 0),
        reference_z_(from.reference_z ? tile_rows * Z_ : 0),
        actions_(tile_rows * A_),
        masks_(from.states.masks ? tile_rows * Z_ : 0) {}

  void theta_changed() { tile_.theta_changed(); }

  // gradient += scale sum_b dL_b/dtheta over the samples that `order` names.
  SurrogateSums add(const Surrogate<S>& surrogate, const Index* order, Index rows, S scale,
                    S* gradient) {
    gather(from_.states.observations, order, rows, D_, observations_.data());
    gather(from_.states.masks, order, rows, Z_, masks_.data());
    gather(from_.actions, order, rows, A_, actions_.data());
    gather(from_.log_probs, order, rows, Index{1}, log_probs_);
    gather(from_.advantages, order, rows, Index{1}, advantages_);
    gather(from_.old_z, order, rows, Z_, old_z_.data());
    gather(from_.reference_z, order, rows, Z_, reference_z_.data());
    const Samples<S, Action> gathered{
        {observations_.data(), rows, from_.states.masks ? masks_.data() : nullptr},
        actions_.data(),
        from_.log_probs ? log_probs_ : nullptr,
        advantages_,
        from_.old_z ? old_z_.data() : nullptr,
        from_.reference_z ? reference_z_.data() : nullptr};
    return tile_.add(surrogate, gathered, scale, gradient);
  }

 private:
  SurrogateTile<S, P> tile_;
  const Samples<S, Action>& from_;
  Index D_, A_, Z_;
  Buffer<S> observations_, old_z_, reference_z_;
  Buffer<Action> actions_;
  Buffer<bool> masks_;
  S log_probs_[tile_rows], advantages_[tile_rows];
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

// The value function's tile, likewise.
template <class S, class V>
class GatheredValueTile {
 public:
  GatheredValueTile(const V& value, const S* phi, const S* observations,
                    const ValueSamples<S>& from)
      : tile_(value, phi),
        from_observations_(observations),
        from_(from),
        D_(value.input_size()),
        observations_(tile_rows * D_) {}

  void theta_changed() { tile_.theta_changed(); }

  // gradient += scale sum_b d/dphi of the error; gives the sum of errors.
  double add(const Index* order, Index rows, S scale, S* gradient) {
    gather(from_observations_, order, rows, D_, observations_.data());
    gather(from_.targets, order, rows, Index{1}, targets_);
    gather(from_.old_values, order, rows, Index{1}, old_values_);
    const S* values = tile_.forward(observations_.data(), rows);
    S dz[tile_rows];
    const double error = value_error(values, targets_, from_.old_values ? old_values_ : nullptr,
                                     from_.clip, rows, scale, dz);
    tile_.backward(dz, gradient);
    return error;
  }

 private:
  typename V::template Tile<S> tile_;
  const S* from_observations_;
  const ValueSamples<S>& from_;
  Index D_;
  Buffer<S> observations_;
  S targets_[tile_rows], old_values_[tile_rows];
};

}  // namespace detail

}  // namespace pgfast
