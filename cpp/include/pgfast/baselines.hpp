// Baselines b for a batch of trajectories g (T, N): what is subtracted from the return to lower the
// variance of the policy gradient. `valid` marks the steps that happened; null means all of them.
// Where a step did not happen, b is 0.
//
// Sums are taken in double: those of a row element after element, those of all rows in blocks.
#pragma once

#include <algorithm>

#include "pgfast/moments.hpp"
#include "pgfast/parallel.hpp"
#include "pgfast/ridge_regression.hpp"

namespace pgfast {

struct MaskedSum {
  double sum = 0;
  Index count = 0;
};

template <class S>
MaskedSum masked_sum(const S* g, const bool* valid, Index count) {
  MaskedSum total;
  for (Index n = 0; n < count; ++n) {
    if (valid && !valid[n]) continue;
    total.sum += static_cast<double>(g[n]);
    ++total.count;
  }
  return total;
}

// b = mean at the valid steps of [begin, end), 0 at the others.
template <class S>
void fill_valid(S mean, const bool* valid, Index begin, Index end, S* b) {
  if (!valid) return void(std::fill(b + begin, b + end, mean));
  const std::uint8_t* counts = bytes(valid);
  for (Index i = begin; i < end; ++i) b[i] = counts[i] ? mean : S{0};
}

// f(row's g, row's valid or null, row's b) over all rows.
template <class S, class F>
void for_each_row(ConstMatrixView<S> g, const bool* valid, MatrixView<S> b, F&& f) {
  const Index N = g.cols();
  parallel_for(g.rows(), N * 2 / 3, [&](Index t) {
    f(g.data() + t * N, valid ? valid + t * N : nullptr, b.data() + t * N);
  });
}

// b_{t,n} = mean of g over the valid steps of all trajectories.
template <class S>
void constant_baseline(ConstMatrixView<S> g, const bool* valid, MatrixView<S> b) {
  const Index size = g.size(), count = valid ? count_set(valid, 0, size) : size;
  const double sum = sum_of(size, valid, [&](Index i) { return static_cast<double>(g.data()[i]); });
  const S mean = count ? static_cast<S>(sum / static_cast<double>(count)) : S{0};
  for_each_block(size, element_ns,
                 [&](Index begin, Index end) { fill_valid(mean, valid, begin, end, b.data()); });
}

// b_{t,n} = mean over the trajectories m that are valid at t of g_{t,m}.
template <class S>
void time_baseline(ConstMatrixView<S> g, const bool* valid, MatrixView<S> b) {
  const Index N = g.cols();
  for_each_row(g, valid, b, [N](const S* g_t, const bool* valid_t, S* b_t) {
    const MaskedSum row = masked_sum(g_t, valid_t, N);
    const S mean = row.count ? static_cast<S>(row.sum / static_cast<double>(row.count)) : S{0};
    fill_valid(mean, valid_t, 0, N, b_t);
  });
}

// b_{t,n} = mean over the other trajectories m != n that are valid at t of g_{t,m}; 0 where there
// is no other. Independent of trajectory n's actions, so the gradient stays unbiased.
template <class S>
void leave_one_out_baseline(ConstMatrixView<S> g, const bool* valid, MatrixView<S> b) {
  const Index N = g.cols();
  for_each_row(g, valid, b, [N](const S* g_t, const bool* valid_t, S* b_t) {
    const MaskedSum row = masked_sum(g_t, valid_t, N);
    const double others = static_cast<double>(row.count - 1);
    for (Index n = 0; n < N; ++n) {
      const bool counts = (!valid_t || valid_t[n]) && row.count > 1;
      b_t[n] = counts ? static_cast<S>((row.sum - static_cast<double>(g_t[n])) / others) : S{0};
    }
  });
}

// The constant that minimises the variance of sum_t score_t (g_t - b), steps taken as independent:
//   b = E[|score|^2 g] / E[|score|^2]
// over all steps, or, `per_time`, over the trajectories that are valid at t. `norms` are |score|^2;
// where all of them are 0, b is 0.
template <class S>
void optimal_baseline(ConstMatrixView<S> g, const bool* valid, const S* norms, bool per_time,
                      MatrixView<S> b) {
  const Index N = g.cols();
  const auto mean_of = [](double sum, double weight) {
    return weight == 0 ? static_cast<S>(0 * sum) : static_cast<S>(sum / weight);
  };
  const auto weight_of = [&](Index i) { return static_cast<double>(norms[i]); };
  const auto weighted = [&](Index i) { return weight_of(i) * static_cast<double>(g.data()[i]); };
  if (!per_time) {
    const S mean = mean_of(sum_of(g.size(), valid, weighted), sum_of(g.size(), valid, weight_of));
    for_each_block(g.size(), element_ns,
                   [&](Index begin, Index end) { fill_valid(mean, valid, begin, end, b.data()); });
    return;
  }
  parallel_for(g.rows(), N * 2 / 3, [&](Index t) {
    double sum = 0, weight = 0;
    for (Index i = t * N; i < (t + 1) * N; ++i) {
      if (valid && !valid[i]) continue;
      sum += weighted(i);
      weight += weight_of(i);
    }
    fill_valid(mean_of(sum, weight), valid, t * N, (t + 1) * N, b.data());
  });
}

// The regressors of step t in the state s (D): s, s^2, tau, tau^2, tau^3 with tau = t / 100.
template <class S>
void linear_baseline_regressors(const S* s, Index D, Index t, double* x) {
  for (Index d = 0; d < D; ++d) {
    x[d] = static_cast<double>(s[d]);
    x[D + d] = x[d] * x[d];
  }
  const double tau = static_cast<double>(t) / 100;
  x[2 * D] = tau;
  x[2 * D + 1] = tau * tau;
  x[2 * D + 2] = tau * tau * tau;
}

// b_{t,n} = w'x_{t,n} + w_0, the ridge regression of g on these regressors over the valid steps.
// Row t of the batch is the t-th step of each trajectory; `observations` (T, N, D).
template <class S>
RidgeOutcome linear_baseline(ConstMatrixView<S> g, const bool* valid, const S* observations,
                             Index D, double ridge, MatrixView<S> b) {
  const Index N = g.cols(), J = 2 * D + 3;
  const auto read = [&](Index i, double* x) {
    if (valid && !valid[i]) return false;
    linear_baseline_regressors(observations + i * D, D, i / N, x);
    x[J] = static_cast<double>(g.data()[i]);
    return true;
  };
  Buffer<double> w = Buffer<double>::Zero(J + 1);
  const RidgeOutcome outcome =
      ridge_regression(g.size(), J, ridge, [&] { return by_samples(J, read); }, w.data());
  for_each_block(g.size(), 10 + static_cast<double>(J), [&](Index begin, Index end) {
    Buffer<double> x(J + 1);
    for (Index i = begin; i < end; ++i) {
      double value = 0;
      if (read(i, x.data())) value = w[J] + (w.head(J) * x.head(J)).sum();
      b.data()[i] = static_cast<S>(value);
    }
  });
  return outcome;
}

}  // namespace pgfast
