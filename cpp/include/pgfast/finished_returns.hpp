// The undiscounted returns of the episodes that end in a rollout, also of those begun before it.
#pragma once

#include "pgfast/arrays.hpp"

namespace pgfast {

struct FinishedReturns {
  double sum = 0;
  Index count = 0;
};

// `running` (N): what each column's episode has earned before the first row; afterwards before the
// next one. Row by row, a row's ends in the order of the columns.
template <class S>
FinishedReturns finished_returns(ConstMatrixView<S> rewards, FlagView terminated,
                                 FlagView truncated, double* running) {
  const Index T = rewards.rows(), N = rewards.cols();
  FinishedReturns finished;
  const auto finish = [&](Index n) {
    finished.sum += running[n];
    ++finished.count;
    running[n] = 0;
  };
  for (Index t = 0; t < T; ++t) {
    const S* reward = rewards.data() + t * N;
    const bool *falls = terminated.data() + t * N, *cuts = truncated.data() + t * N;
    for (Index n = 0; n < N; ++n) running[n] += static_cast<double>(reward[n]);
    for_each_set(falls, 0, N, finish);
    for_each_set(cuts, 0, N, [&](Index n) {
      if (!falls[n]) finish(n);
    });
  }
  return finished;
}

}  // namespace pgfast
