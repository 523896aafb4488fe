// Policies of every distribution with samples to climb on, drawn from an older policy.
#pragma once

#include <type_traits>

#include "check.hpp"
#include "pgfast/distributions/gaussian.hpp"
#include "pgfast/distributions/multi_softmax.hpp"
#include "pgfast/distributions/softmax.hpp"
#include "pgfast/networks/with_tail.hpp"
#include "pgfast/policy_actor.hpp"
#include "pgfast/surrogate.hpp"

namespace check {

using namespace pgfast;

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());

template <class S, class P>
struct Climb {
  using Policy = P;
  using Action = typename P::template Action<S>;

  P policy;
  Index B, D, Z, A, size;
  Array<S> theta, old_theta, reference_theta, observations, advantages, log_probs, old_z,
      reference_z;
  Array<Action> actions;
  Array<bool> masks;  // empty: none

  // `distance` is that of theta from the policy that acted.
  Climb(P p, Index batch, double distance, Array<bool> allowed = {}, std::uint64_t seed = 0)
      : policy(std::move(p)),
        B(batch),
        D(policy.network.input_size()),
        Z(policy.network.output_size()),
        A(policy.distribution.action_size()),
        size(policy.network.num_parameters()),
        old_theta(normals<S>(size, seed + 1, 0.4)),
        reference_theta(normals<S>(size, seed + 2, 0.4)),
        observations(normals<S>(B * D, seed + 3)),
        advantages(normals<S>(B, seed + 4)),
        actions(B * A),
        masks(std::move(allowed)) {
    theta = old_theta + normals<S>(size, seed + 5, distance);
    sample(policy, old_theta.data(), states(), seed + 6, 0, 0, actions.data());
    log_probs = log_prob(old_theta);
    old_z = outputs(old_theta);
    reference_z = outputs(reference_theta);
  }

  States<S> states() const {
    return {observations.data(), B, masks.size() ? masks.data() : nullptr};
  }
  Samples<S, Action> samples() const {
    return {states(),          actions.data(), log_probs.data(),
            advantages.data(), old_z.data(),   reference_z.data()};
  }
  Array<S> outputs(const Array<S>& at) const {
    Array<S> z(B * Z);
    network_outputs(policy.network, at.data(), observations.data(), B, z.data());
    return z;
  }
  Array<S> log_prob(const Array<S>& at) const {
    Array<S> out(B);
    pgfast::log_prob(policy, at.data(), states(), actions.data(), out.data());
    return out;
  }
  Array<S> entropy(const Array<S>& at) const {
    Array<S> out(B);
    pgfast::entropy(policy, at.data(), states(), out.data());
    return out;
  }
  Array<S> kl(const Array<S>& of, const Array<S>& from) const {
    Array<S> out(B);
    pgfast::kl(policy, of.data(), policy, from.data(), states(), out.data());
    return out;
  }

  // The samples of some rows, by copy.
  Climb rows(const std::vector<Index>& chosen) const {
    Climb some = *this;
    some.B = static_cast<Index>(chosen.size());
    const auto take = [&](auto& to, const auto& from, Index width) {
      to = std::decay_t<decltype(to)>(some.B * width);
      for (Index r = 0; r < some.B; ++r) {
        to.set(r * width, from.segment(chosen[static_cast<std::size_t>(r)] * width, width));
      }
    };
    take(some.observations, observations, D);
    take(some.advantages, advantages, 1);
    take(some.log_probs, log_probs, 1);
    take(some.old_z, old_z, Z);
    take(some.reference_z, reference_z, Z);
    take(some.actions, actions, A);
    if (masks.size()) take(some.masks, masks, Z);
    return some;
  }
};

// Random masks over the logits of dimensions of those sizes; each dimension keeps one action.
inline Array<bool> masks_of(Index rows, const std::vector<Index>& sizes) {
  Index Z = 0;
  for (const Index size : sizes) Z += size;
  Array<bool> masks = flags(rows * Z, 0.6, 7);
  for (Index r = 0; r < rows; ++r) {
    Index first = r * Z;
    for (const Index size : sizes) {
      masks[first + r % size] = true;
      first += size;
    }
  }
  return masks;
}

// f(climb) for every distribution, with and without masks, and sigma of each kind.
template <class S, class F>
void for_each_climb(Index batch, double distance, F&& f, std::uint64_t seed = 0) {
  using SoftmaxMlp = pgfast::Policy<Preprocessed, Softmax>;
  using MultiSoftmaxMlp = pgfast::Policy<Preprocessed, MultiSoftmax>;
  using GaussianMlp = pgfast::Policy<WithTail, Gaussian>;
  const auto mlp = [](const std::vector<Index>& sizes) {
    return Preprocessed(Mlp(sizes, Activation::tanh));
  };
  for (const bool masked : {false, true}) {
    const Context at(masked ? "with masks" : "without masks");
    const auto masks = [&](const std::vector<Index>& sizes) {
      return masked ? masks_of(batch, sizes) : Array<bool>();
    };
    {
      const Context kind("softmax");
      f(Climb<S, SoftmaxMlp>({mlp({3, 5, 4}), Softmax{4}}, batch, distance, masks({4}), seed));
    }
    const Context kind("multi-softmax");
    f(Climb<S, MultiSoftmaxMlp>({mlp({3, 5}), MultiSoftmax{{2, 3}}}, batch, distance, masks({2, 3}),
                                seed));
  }
  {
    const Context kind("Gaussian, sigma learned");
    f(Climb<S, GaussianMlp>({WithTail(mlp({3, 4, 2}), 2), Gaussian{2, true}}, batch, distance, {},
                            seed));
  }
  {
    const Context kind("Gaussian, sigma fixed");
    f(Climb<S, GaussianMlp>({WithTail(mlp({3, 4, 2}), 0), Gaussian{2, false, {-0.5, 0.3}}}, batch,
                            distance, {}, seed));
  }
  const Context kind("Gaussian, sigma from the network, held up by a floor here and there");
  f(Climb<S, GaussianMlp>({WithTail(mlp({3, 4, 4}), 0), Gaussian{2, true, {}, -0.5}}, batch,
                          distance, {}, seed));
}

}  // namespace check
