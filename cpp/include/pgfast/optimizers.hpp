// First-order steps on a flat parameter vector, in place, in one pass over memory.
//
// Both take a signed `step_size`: positive climbs the gradient, negative descends.
#pragma once

#include <cmath>

#include "pgfast/arrays.hpp"

namespace pgfast {

// theta <- theta + step_size * g
template <class S>
void sgd_step(S* theta, const S* gradient, Index n, S step_size) {
  for (Index i = 0; i < n; ++i) theta[i] += step_size * gradient[i];
}

// Adam (Kingma & Ba 2015, algorithm 1): `count` is the number of this step, from 1;
//   m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2,
//   theta <- theta + step_size * m_hat / (sqrt(v_hat) + epsilon),
// with m_hat = m / (1 - beta1^count), v_hat = v / (1 - beta2^count).
template <class S>
void adam_step(S* theta, const S* gradient, S* m, S* v, Index n, std::int64_t count, S step_size,
               S beta1, S beta2, S epsilon) {
  const auto steps = static_cast<double>(count);
  const S m_scale = S(1.0 / (1.0 - std::pow(static_cast<double>(beta1), steps)));
  const S v_scale = S(1.0 / (1.0 - std::pow(static_cast<double>(beta2), steps)));
  for (Index i = 0; i < n; ++i) {
    m[i] = beta1 * m[i] + (S{1} - beta1) * gradient[i];
    v[i] = beta2 * v[i] + (S{1} - beta2) * gradient[i] * gradient[i];
    theta[i] += step_size * (m[i] * m_scale) / (std::sqrt(v[i] * v_scale) + epsilon);
  }
}

// A parameter vector and Adam's state for it; all of it changes.
template <class S>
struct AdamParameters {
  S *theta, *m, *v;  // (size)
  Index size;
  std::int64_t count;  // of steps, the one that is being made included
  S learning_rate, beta1 = S(0.9), beta2 = S(0.999), epsilon = S(1e-8);

  // The parameters [begin, end) of step number `count`, up (sign 1) or down (-1) the gradient.
  void step_part(const S* gradient, S sign, Index begin, Index end) {
    adam_step(theta + begin, gradient + begin, m + begin, v + begin, end - begin, count,
              sign * learning_rate, beta1, beta2, epsilon);
  }
};

}  // namespace pgfast
