// Baselines b for a batch of trajectories g (T, N): what is subtracted from the return to lower the
// variance of the policy gradient. `valid` marks the steps that happened; null means all of them.
// Where a step did not happen, b is 0.
//
// Sums are taken in double, element after element, so that they depend on the batch alone.
#pragma once

#include "pgfast/arrays.hpp"
#include "pgfast/parallel.hpp"

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

// f(row's g, row's valid or null, row's b) over all rows; 16384 elements (20 us) pay for a
// thread.
template <class S, class F>
void for_each_row(ConstMatrixView<S> g, const bool* valid, MatrixView<S> b, F&& f) {
  const Index N = g.cols();
  parallel_for(g.rows(), ceil_div(16384, N), [&](Index t) {
    f(g.data() + t * N, valid ? valid + t * N : nullptr, b.data() + t * N);
  });
}

// b_{t,n} = mean of g over the valid steps of all trajectories.
template <class S>
void constant_baseline(ConstMatrixView<S> g, const bool* valid, MatrixView<S> b) {
  const MaskedSum total = masked_sum(g.data(), valid, g.size());
  const S mean = total.count ? static_cast<S>(total.sum / static_cast<double>(total.count)) : S{0};
  for (Index i = 0; i < g.size(); ++i) b.data()[i] = (!valid || valid[i]) ? mean : S{0};
}

// b_{t,n} = mean over the trajectories m that are valid at t of g_{t,m}.
template <class S>
void time_baseline(ConstMatrixView<S> g, const bool* valid, MatrixView<S> b) {
  const Index N = g.cols();
  for_each_row(g, valid, b, [N](const S* g_t, const bool* valid_t, S* b_t) {
    const MaskedSum row = masked_sum(g_t, valid_t, N);
    const S mean = row.count ? static_cast<S>(row.sum / static_cast<double>(row.count)) : S{0};
    for (Index n = 0; n < N; ++n) b_t[n] = (!valid_t || valid_t[n]) ? mean : S{0};
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

}  // namespace pgfast
