// The tile of a policy in a minibatch: samples from all over a batch, copied side by side, go
// forward and back while they lie in the first-level cache.
#pragma once

#include "pgfast/surrogate.hpp"

namespace pgfast::detail {

template <class S, class P>
class GatheredPolicyTile {
 public:
  using Action = typename P::template Action<S>;

  GatheredPolicyTile(const P& policy, const S* theta, const Surrogate<S>& surrogate,
                     const Samples<S, Action>& from)
      : tile_(policy, theta),
        surrogate_(surrogate),
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
  SurrogateSums add(const Index* order, Index rows, S scale, S* gradient) {
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
    return tile_.add(surrogate_, gathered, scale, gradient);
  }

 private:
  SurrogateTile<S, P> tile_;
  const Surrogate<S>& surrogate_;
  const Samples<S, Action>& from_;
  Index D_, A_, Z_;
  Buffer<S> observations_, old_z_, reference_z_;
  Buffer<Action> actions_;
  Buffer<bool> masks_;
  S log_probs_[tile_rows], advantages_[tile_rows];
};

}  // namespace pgfast::detail
