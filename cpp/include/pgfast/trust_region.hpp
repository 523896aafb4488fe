// One step of trust-region policy optimization (Schulman et al. 2015):
//
//   g      = 1/n sum_b A_b grad log pi(a_b|s_b)                 at pi = pi_old
//   x      : (F + damping I) x = g                              by conjugate gradients
//   step   = sqrt(2 delta / x'(F + damping I) x) x
//   theta' = theta + c^j step, j = 0, 1, ... the first with
//              mean KL(pi_old || pi') <= delta                  exactly, over the batch
//              mean (rho - 1) A >= accept c^j g'step, and > 0
//
// What a step is expected to bring is linear in its length, so that each try is held against its
// own share c^j of g'step. Where no try is accepted, theta stays as it was, bit for bit.
#pragma once

#include <cmath>

#include "pgfast/fisher.hpp"
#include "pgfast/surrogate.hpp"

namespace pgfast {

struct TrustRegion {
  double kl_radius;  // delta
  double damping, tolerance;
  Index max_iterations;  // of the conjugate gradients
  Index max_backtracks;  // tries are j = 0 .. max_backtracks
  double shrink;         // c
  double accept;
};

struct TrustRegionOutcome {
  CGOutcome solve;
  double gradient_norm = 0;
  double expected = 0;     // g'step of the whole step
  double improvement = 0;  // of the accepted try, else 0
  double kl = 0;           // of the accepted try, else 0
  Index backtracks = 0;    // j of the accepted try
  bool accepted = false;
};

// Changes theta (P). `samples.old_z` is made here, whatever it was.
template <class S, class P>
TrustRegionOutcome trust_region_step(const P& policy, S* theta,
                                     Samples<S, typename P::template Action<S>> samples,
                                     const TrustRegion& settings) {
  const Index size = policy.network.num_parameters(), n = samples.states.count;
  const Surrogate<S> surrogate{Weighting::ratio, S{0}, S{0}, S{0}, S{0}};
  const Eigen::Map<Buffer<S>> parameters(theta, size);
  const Buffer<S> start = parameters;
  TrustRegionOutcome outcome;

  Buffer<S> old_z(n * policy.network.output_size());
  network_outputs(policy.network, static_cast<const S*>(start.data()), samples.states.observations,
                  n, old_z.data());
  samples.old_z = old_z.data();

  const auto inner = [size](const S* a, const S* b) {
    double sum = 0;
    for (Index i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
  };
  Buffer<S> gradient(size), x(size), product(size);
  const SurrogateSums before =
      surrogate_sums(policy, start.data(), surrogate, samples, gradient.data());
  outcome.gradient_norm = std::sqrt(inner(gradient.data(), gradient.data()));
  FisherProduct<S, P> fisher(policy, start.data(), samples.states);
  outcome.solve = natural_gradient(fisher, gradient.data(), size, settings.damping,
                                   settings.tolerance, settings.max_iterations, x.data());
  fisher(x.data(), static_cast<S>(settings.damping), product.data());
  const double curvature = inner(x.data(), product.data());
  if (!(curvature > 0)) return outcome;  // no gradient, or none that is a number
  const double length = std::sqrt(2 * settings.kl_radius / curvature);
  outcome.expected = length * inner(gradient.data(), x.data());

  double share = 1;
  for (Index j = 0; j <= settings.max_backtracks; ++j, share *= settings.shrink) {
    const S factor = static_cast<S>(share * length);
    for (Index i = 0; i < size; ++i) theta[i] = start[i] + factor * x[i];
    const SurrogateSums now = surrogate_sums(policy, static_cast<const S*>(theta), surrogate,
                                             samples, static_cast<S*>(nullptr));
    const double kl = now.kl / static_cast<double>(n);
    const double improvement = (now.surrogate - before.surrogate) / static_cast<double>(n);
    if (kl <= settings.kl_radius && improvement > 0 &&
        improvement >= settings.accept * share * outcome.expected) {
      outcome.improvement = improvement;
      outcome.kl = kl;
      outcome.backtracks = j;
      outcome.accepted = true;
      return outcome;
    }
  }
  std::copy(start.data(), start.data() + size, theta);
  return outcome;
}

}  // namespace pgfast
