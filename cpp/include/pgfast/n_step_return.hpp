// The return of n steps and the value of what is there then:
//
//   G_t = r_t + gamma r_{t+1} + ... + gamma^(n-1) r_{t+n-1} + gamma^n V_{t+n}
//
// A window that meets the end of the episode or of the rollout stops there and takes what stands in
// for the tail.
//
// Each window is cut at the multiple a of n that lies in (t, t + n], an anchor:
//   G_t = R_t + gamma^(a-t) P_t,   R_t the rewards of [t, a),   P_t what follows from a to t + n
// For the n windows of an anchor P is one running sum forward from a and R one backward from it, so
// that every row is read twice for any n. P_t waits in G_t's place. From the last anchor on, all
// windows end with the rollout: reward-to-go.
#pragma once

#include "pgfast/column_blocks.hpp"

namespace pgfast {

template <class S>
void n_step_return(ConstMatrixView<S> rewards, ConstMatrixView<S> values, FlagView terminated,
                   FlagView truncated, S gamma, Index n, const S* final_values, MatrixView<S> out) {
  const Index T = rewards.rows(), N = rewards.cols();
  n = std::min(n, T);
  for_each_column_block(truncated, final_values != nullptr, [&](const ColumnBlock& block) {
    const Index width = block.end - block.begin;
    Buffer<S> sum(width);                 // P, then R
    Buffer<std::uint8_t> running(width);  // no end between the anchor and here
    for (Index anchor = n; anchor - n < T; anchor += n) {
      const bool last = anchor >= T;
      S weight{1};  // gamma^|t - anchor|
      sum.setZero();
      running.setOnes();
      for (Index end = anchor; end < anchor + n && !last; ++end) {
        S* __restrict p = sum.data();
        std::uint8_t* __restrict on = running.data();
        if (end > anchor && end <= T) {  // the window has grown by the row end - 1
          const Index row = (end - 1) * N + block.begin;
          for_each_final(block, end - 1, terminated, truncated, final_values,
                         [&](Index k, S value) { p[k] += on[k] ? weight * gamma * value : S{0}; });
          const S* __restrict r = rewards.data() + row;
          const std::uint8_t* __restrict over = bytes(terminated.data() + row);
          const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
          for (Index k = 0; k < width; ++k) {
            const S with = p[k] + weight * r[k], without = p[k];
            p[k] = on[k] != 0 ? with : without;
            on[k] = static_cast<std::uint8_t>(on[k] & ~(over[k] | cut[k]) & 1);
          }
          weight *= gamma;
        }
        const S* __restrict v = values.data() + std::min(end, T) * N + block.begin;
        S* __restrict g = out.data() + (end - n) * N + block.begin;
        for (Index k = 0; k < width; ++k) {
          const S with = p[k] + weight * v[k], without = p[k];
          g[k] = on[k] != 0 ? with : without;
        }
      }
      if (last) {
        std::copy_n(values.data() + T * N + block.begin, width, sum.data());
      } else {
        sum.setZero();
      }
      running.setConstant(last ? 0 : 1);  // what follows the last anchor is in `sum` already
      weight = S{1};
      for (Index t = std::min(anchor, T) - 1; t >= anchor - n; --t) {
        const Index row = t * N + block.begin;
        weight *= gamma;
        const S* __restrict r = rewards.data() + row;
        const std::uint8_t* __restrict over = bytes(terminated.data() + row);
        const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
        S* __restrict later = sum.data();
        std::uint8_t* __restrict on = running.data();
        S* __restrict g = out.data() + row;
        for (Index k = 0; k < width; ++k) {
          const S future = later[k];
          const bool done = (over[k] | cut[k]) != 0;
          later[k] = r[k] + gamma * (done ? S{0} : future);
          on[k] = static_cast<std::uint8_t>(on[k] & (done ? 0 : 1));
        }
        add_final_values(block, t, terminated, truncated, gamma, final_values, later);
        for (Index k = 0; k < width; ++k) {
          const S own = later[k], with = own + weight * g[k];
          g[k] = on[k] != 0 ? with : own;
        }
      }
    }
  });
}

}  // namespace pgfast
