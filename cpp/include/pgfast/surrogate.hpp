// What a policy climbs, and its gradient in z, on one tile of samples.
//
//   L_b = s_b + c_H H(pi) - c_old KL(pi_old || pi) - c_ref KL(pi || pi_ref),   at the state of b
//
// with rho_b = pi(a_b|s_b) / pi_old(a_b|s_b) and the advantage A_b,
//
//   log_prob   s = A log pi        ds = A dlog pi             A2C, REINFORCE, weighted cloning
//   ratio      s = rho A           ds = rho A dlog pi         TRPO, PPO without clipping
//   clipped    s = min(rho A, clip(rho, 1 - e, 1 + e) A)      PPO, GRPO
//              ds = rho A dlog pi where that is the smaller one, else 0
//
// so that all of them are a weighted score. At pi = pi_old, rho is 1 to the last bit and the first
// three gradients are the same.
#pragma once

#include <algorithm>
#include <vector>

#include "pgfast/policy.hpp"

namespace pgfast {

enum class Weighting { log_prob, ratio, clipped };

template <class S>
struct Surrogate {
  Weighting weighting;
  S clip;          // e
  S entropy;       // c_H
  S kl_old;        // c_old
  S kl_reference;  // c_ref
};

// Samples as the policy made them. `old_z` and `reference_z` (count, Z) are the parameters of
// pi_old and pi_ref before masks; they may be null where their coefficient is zero.
template <class S, class Action>
struct Samples {
  States<S> states;
  const Action* actions;  // (count, A)
  const S* log_probs;     // (count) of pi_old
  const S* advantages;    // (count)
  const S* old_z = nullptr;
  const S* reference_z = nullptr;
};

// Sums over samples, in double.
struct SurrogateSums {
  double surrogate = 0;  // s
  double entropy = 0;
  double kl = 0;       // KL(pi_old || pi): exact where old_z is there, else rho - 1 - log rho
  double clipped = 0;  // how many samples the clipping took the gradient of
  double kl_reference = 0;

  void operator+=(const SurrogateSums& other) {
    surrogate += other.surrogate;
    entropy += other.entropy;
    kl += other.kl;
    clipped += other.clipped;
    kl_reference += other.kl_reference;
  }
};

// What a sample takes beside its passes through the network: its distributions and their gradients,
// its weight, and, in a minibatch, gathering it.
inline constexpr double surrogate_ns = 10;

// Work memory: the policy's tile, those of pi_old and pi_ref, and one number per row of each kind.
template <class S, class P>
class SurrogateTile {
 public:
  using Action = typename P::template Action<S>;

  SurrogateTile(const P& policy, const S* theta)
      : policy_(policy, theta), old_(policy.distribution), reference_(policy.distribution) {}

  // The network's parameters have changed in place.
  void theta_changed() { policy_.network.theta_changed(); }

  // Sums of the rows' terms; where `gradient` (P) is not null, gradient += scale sum_b dL_b/dtheta.
  SurrogateSums add(const Surrogate<S>& surrogate, const Samples<S, Action>& samples, S scale,
                    S* gradient) {
    const Index rows = samples.states.count;
    policy_.forward(samples.states, 0, rows);
    const auto& pi = policy_.distribution;
    SurrogateSums sums;

    // By lanes, without a branch: which samples are clipped is as good as random. Lanes behind the
    // rows have the ratio 1 and the advantage 0, and add nothing.
    Rows log_probs = Rows::Zero(), log_ratios = Rows::Zero(), advantages = Rows::Zero(),
         terms = Rows::Zero();
    pi.log_prob(samples.actions, log_probs.data());
    if (samples.log_probs) {
      for (Index r = 0; r < rows; ++r) log_ratios[r] = held(log_probs[r] - samples.log_probs[r]);
    }
    std::copy_n(samples.advantages, rows, advantages.data());
    const Rows ratios = log_ratios.exp();
    Rows s = ratios * advantages, weights = s;
    if (surrogate.weighting == Weighting::log_prob) {
      for (Index r = 0; r < tile_rows; ++r) {  // 0 also where the action has no probability
        const S product = advantages[r] * log_probs[r];
        s[r] = advantages[r] == S{0} ? S{0} : product;
      }
      weights = advantages;
    } else if (surrogate.weighting == Weighting::clipped) {
      const S low = S{1} - surrogate.clip, high = S{1} + surrogate.clip;
      Rows clipped;
      for (Index r = 0; r < tile_rows; ++r) {
        const S at_least = ratios[r] < low ? low : ratios[r];
        const S bounded = (at_least > high ? high : at_least) * advantages[r], free = s[r];
        const bool less = bounded < free;  // a NaN stays
        s[r] = less ? bounded : free;
        weights[r] = less ? S{0} : free;
        clipped[r] = less ? S{1} : S{0};
      }
      sums.clipped = total(clipped);
    }
    weights *= scale;
    sums.surrogate = total(s);
    if (!samples.old_z) sums.kl = total(ratios - S{1} - log_ratios);
    pi.entropy(terms.data());
    sums.entropy = total(terms);

    S* dz = policy_.dz.data();
    if (gradient) pi.score(samples.actions, weights.data(), dz);
    if (gradient && surrogate.entropy != S{0}) {
      pi.add_entropy_gradient(nullptr, scale * surrogate.entropy, dz);
    }
    if (samples.old_z) {
      set_distribution(old_, samples.old_z, rows, samples.states.masks);
      old_.kl(pi, terms.data());
      sums.kl = total(terms);
      if (gradient && surrogate.kl_old != S{0}) {
        pi.add_reverse_kl_gradient(old_, nullptr, -scale * surrogate.kl_old, dz);
      }
    }
    if (samples.reference_z) {
      set_distribution(reference_, samples.reference_z, rows, samples.states.masks);
      pi.kl(reference_, terms.data());
      sums.kl_reference = total(terms);
      if (gradient && surrogate.kl_reference != S{0}) {
        pi.add_kl_gradient(reference_, nullptr, -scale * surrogate.kl_reference, dz);
      }
    }
    if (gradient) policy_.network.backward(dz, gradient);
    return sums;
  }

 private:
  using DistributionTile = typename P::Distribution::template Tile<S>;
  using Rows = Lanes<S, tile_rows>;  // a number of every row

  static double total(const Rows& rows) { return rows.template cast<double>().sum(); }

  // log rho within +-20: e^20 is far outside of any clipping, and its square is still a number in
  // float32, where an infinite rho would make NaN of an advantage of 0. NaN stays.
  static S held(S log_ratio) {
    return log_ratio < S{-20} ? S{-20} : log_ratio > S{20} ? S{20} : log_ratio;
  }

  PolicyTile<S, P> policy_;
  DistributionTile old_, reference_;
};

namespace detail {

// Rows [first, first + rows) of the samples, in place.
template <class S, class P>
Samples<S, typename P::template Action<S>> slice(
    const P& policy, const Samples<S, typename P::template Action<S>>& samples, Index first,
    Index rows) {
  const Index D = policy.network.input_size(), Z = policy.network.output_size();
  const auto at = [](const auto* data, Index offset) { return data ? data + offset : nullptr; };
  return {{samples.states.observations + first * D, rows, at(samples.states.masks, first * Z)},
          samples.actions + first * policy.distribution.action_size(),
          at(samples.log_probs, first),
          samples.advantages + first,
          at(samples.old_z, first * Z),
          at(samples.reference_z, first * Z)};
}

}  // namespace detail

// Sums over a batch; where `gradient` (P) is not null, gradient = mean_b dL_b/dtheta.
template <class S, class P>
SurrogateSums surrogate_sums(const P& policy, const S* theta, const Surrogate<S>& surrogate,
                             const Samples<S, typename P::template Action<S>>& samples,
                             S* gradient) {
  const Index count = samples.states.count;
  const double sample_ns = surrogate_ns + policy.network.sample_ns(gradient ? 3 : 1);
  const SampleBlocks blocks(count, sample_ns);
  std::vector<SurrogateSums> partial(static_cast<std::size_t>(blocks.count()));
  const auto block = [&](Index begin, Index end, S* block_gradient) {
    SurrogateTile<S, P> tile(policy, theta);
    SurrogateSums& sums = partial[static_cast<std::size_t>(begin / blocks.block_size())];
    for_each_tile(begin, end, [&](Index first, Index rows) {
      sums += tile.add(surrogate, detail::slice(policy, samples, first, rows),
                       S{1} / static_cast<S>(count), block_gradient);
    });
  };
  if (gradient) {
    sum_over_blocks(count, sample_ns, policy.network.num_parameters(), gradient, block);
  } else {
    for_each_block(count, sample_ns, [&](Index begin, Index end) { block(begin, end, nullptr); });
  }
  SurrogateSums total;
  for (const SurrogateSums& sums : partial) total += sums;
  return total;
}

}  // namespace pgfast
