// Conjugate gradients (Hestenes & Stiefel 1952) for (A + damping I) x = b, A symmetric positive
// semi-definite and known only through v -> A v.
#pragma once

#include <cmath>

#include "pgfast/arrays.hpp"

namespace pgfast {

enum class CGStatus {
  converged,               // |b - (A + damping I) x| <= tolerance * |b|
  max_iterations,          // stopped by the limit
  non_positive_curvature,  // a direction p with p'(A + damping I)p <= 0: x is from before that step
  non_finite,              // NaN or infinity in b, a product, a residual or x: x is from before
};

constexpr const char* status_name(CGStatus status) {
  switch (status) {
    case CGStatus::converged:
      return "converged";
    case CGStatus::max_iterations:
      return "max_iterations";
    case CGStatus::non_positive_curvature:
      return "non_positive_curvature";
    case CGStatus::non_finite:
      return "non_finite";
  }
  return "";
}

struct CGOutcome {
  Index iterations = 0;
  double residual = 0;  // |b - (A + damping I) x| / |b|, as the recursion carries it; 0 for b = 0
  CGStatus status = CGStatus::converged;
};

// Sum of products in double, in eight interleaved partial sums: vector code, and the same bits
// wherever the vectors lie in memory.
template <class S>
double dot(const S* a, const S* b, Index n) {
  double partial[8] = {};
  Index i = 0;
  for (; i + 8 <= n; i += 8) {
    for (Index j = 0; j < 8; ++j) {
      partial[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
    }
  }
  for (; i < n; ++i) partial[i % 8] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((partial[0] + partial[1]) + (partial[2] + partial[3])) +
         ((partial[4] + partial[5]) + (partial[6] + partial[7]));
}

// matvec(v, out): out = A v. Starts from x = 0, so the first residual is b. Scalars are double also
// for float vectors: they decide when to stop.
template <class S, class MatVec>
CGOutcome conjugate_gradient(MatVec&& matvec, const S* b, S* x, Index n, double tolerance,
                             Index max_iterations, double damping) {
  Buffer<S> r = Eigen::Map<const Buffer<S>>(b, n), p = r, Ap(n);
  Eigen::Map<Buffer<S>> solution(x, n);
  solution.setZero();

  const double b_norm = std::sqrt(dot(b, b, n));
  CGOutcome outcome;
  if (b_norm == 0) return outcome;
  if (!std::isfinite(b_norm)) {
    outcome = {0, b_norm, CGStatus::non_finite};
    return outcome;
  }

  double rr = b_norm * b_norm;
  outcome.residual = 1;
  while (outcome.residual > tolerance) {
    if (outcome.iterations == max_iterations) {
      outcome.status = CGStatus::max_iterations;
      return outcome;
    }
    matvec(p.data(), Ap.data());
    Ap += static_cast<S>(damping) * p;
    const double curvature = dot(p.data(), Ap.data(), n);
    if (!std::isfinite(curvature)) {
      outcome.status = CGStatus::non_finite;
      return outcome;
    }
    if (curvature <= 0) {
      outcome.status = CGStatus::non_positive_curvature;
      return outcome;
    }
    const double alpha = rr / curvature;
    r -= static_cast<S>(alpha) * Ap;
    const double rr_next = dot(r.data(), r.data(), n);
    Ap = solution + static_cast<S>(alpha) * p;  // the next x; Ap itself is done with
    if (!std::isfinite(rr_next) || !Ap.allFinite()) {
      outcome.status = CGStatus::non_finite;
      return outcome;
    }
    solution = Ap;
    p = r + static_cast<S>(rr_next / rr) * p;
    rr = rr_next;
    ++outcome.iterations;
    outcome.residual = std::sqrt(rr) / b_norm;
  }
  return outcome;
}

}  // namespace pgfast
