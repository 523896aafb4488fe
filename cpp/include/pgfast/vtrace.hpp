// V-trace (Espeholt et al. 2018, eq. 1): values of a policy pi from what another one, mu, did.
//
//   v_t = V_t + sum_{k >= t} gamma^(k-t) (prod_{t <= i < k} c_i) delta_k
//   delta_k = rho_k (r_k + gamma V_{k+1} - V_k)
//   rho_k = min(rho_clip, w_k),  c_i = lam min(c_clip, w_i),  w = pi(a|s) / mu(a|s)
//
// as a recursion for what is added to V, with x the error without its weight:
//
//   x_t = r_t + gamma V_{t+1} - V_t
//   v_t - V_t = rho_t x_t + gamma c_t (v_{t+1} - V_{t+1})
//   advantage = rho_t (x_t + gamma lam (v_{t+1} - V_{t+1}))
//
// With lam = 1 the advantage is the paper's rho_t (r_t + gamma v_{t+1} - V_t); with w = 1 it is GAE
// for any lam. V_{t+1} and v_{t+1} - V_{t+1} are cut as `column_blocks` says.
#pragma once

#include <limits>

#include "pgfast/column_blocks.hpp"
#include "pgfast/multiply_add.hpp"

namespace pgfast {

struct VtraceSettings {
  double gamma, lam, rho_clip, c_clip;
};

// w = exp(log w), 0 or infinity where that is not a normal number: vector exp stops short of both.
// Room for a whole number of chunks is needed in `w` alone.
template <class S>
void importance_ratios(const S* log_ratios, Index count, S* w) {
  constexpr S lowest = std::is_same_v<S, float> ? S(-87) : S(-708);
  constexpr S highest = std::is_same_v<S, float> ? S(88) : S(709);
  std::copy_n(log_ratios, count, w);
  transform_chunks(w, count, [](const auto& x) { return x.exp().eval(); });
  for (Index i = 0; i < count; ++i) {
    const S x = log_ratios[i], e = w[i];
    const S above = x > highest ? std::numeric_limits<S>::infinity() : e;
    const S number = x < lowest ? S{0} : above;
    w[i] = x != x ? x : number;
  }
}

template <class S>
void vtrace(ConstMatrixView<S> rewards, ConstMatrixView<S> values, ConstMatrixView<S> log_ratios,
            FlagView terminated, FlagView truncated, VtraceSettings settings, const S* final_values,
            MatrixView<S> targets, MatrixView<S> advantages) {
  const Index T = rewards.rows(), N = rewards.cols();
  const auto gamma = static_cast<S>(settings.gamma), lam = static_cast<S>(settings.lam);
  const auto rho_clip = static_cast<S>(settings.rho_clip);
  const auto c_clip = static_cast<S>(settings.c_clip);
  const S decay = gamma * lam;
  // Multiply-adds are explicit: a compiler contracts a vector loop and its scalar rest differently.
  for_each_column_block(truncated, final_values != nullptr, [&](const ColumnBlock& block) {
    const Index width = block.end - block.begin;
    Buffer<S> ratios = Buffer<S>::Zero(padded(width));
    Buffer<S> error(width), excess = Buffer<S>::Zero(width);  // x_t; v_{t+1} - V_{t+1}
    for (Index t = T - 1; t >= 0; --t) {
      const Index row = t * N + block.begin;
      importance_ratios(log_ratios.data() + row, width, ratios.data());
      const S* __restrict r = rewards.data() + row;
      const S* __restrict v = values.data() + row;
      const S* __restrict v_next = v + N;
      const std::uint8_t* __restrict end = bytes(terminated.data() + row);
      const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
      S* __restrict x = error.data();
      for (Index n = 0; n < width; ++n) {
        const S own = r[n] - v[n], with = multiply_add(gamma, v_next[n], own);
        const bool done = (end[n] | cut[n]) != 0;
        x[n] = done ? own : with;
      }
      add_final_values(block, t, terminated, truncated, gamma, final_values, x);
      const std::uint8_t over = t + 1 == T ? 1 : 0;  // nothing follows; infinity times 0 is no 0
      const S* __restrict w = ratios.data();
      S* __restrict more = excess.data();
      S* __restrict target = targets.data() + row;
      S* __restrict advantage = advantages.data() + row;
      for (Index n = 0; n < width; ++n) {
        const S rho = w[n] > rho_clip ? rho_clip : w[n], c = w[n] > c_clip ? c_clip : w[n];
        const S before = more[n], later = decay * before, own = rho * x[n];
        const S error_with = multiply_add(decay, before, x[n]);
        const S more_with = multiply_add(c, later, own);
        const bool done = (end[n] | cut[n] | over) != 0;
        const S whole = done ? x[n] : error_with;
        advantage[n] = rho * whole;
        more[n] = done ? own : more_with;
      }
      for (Index n = 0; n < width; ++n) target[n] = v[n] + more[n];
    }
  });
}

}  // namespace pgfast
