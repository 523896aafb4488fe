// Returns and advantages of a rollout (T, N), time-major, by recursions over time; `column_blocks`
// says how the ends of episodes cut them. `values` is (T + 1, N), its last row
// V(last_observations). `final_values` (K) may be null where no step is truncated only.
#pragma once

#include "pgfast/column_blocks.hpp"

namespace pgfast {

// G_t = r_t + gamma * tail. `last_values` (N) and `final_values` (K) may be null: then zero.
template <class S>
void reward_to_go(ConstMatrixView<S> rewards, FlagView terminated, FlagView truncated, S gamma,
                  const S* last_values, const S* final_values, MatrixView<S> out) {
  const Index T = rewards.rows(), N = rewards.cols();
  for_each_column_block(truncated, final_values != nullptr, [&](const ColumnBlock& block) {
    const Index width = block.end - block.begin;
    const Buffer<S> zero = Buffer<S>::Zero(width);
    const S* next = last_values ? last_values + block.begin : zero.data();
    for (Index t = T - 1; t >= 0; --t) {
      const Index row = t * N + block.begin;
      const S* __restrict r = rewards.data() + row;
      const std::uint8_t* __restrict end = bytes(terminated.data() + row);
      const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
      const S* __restrict later = next;
      S* __restrict g = out.data() + row;
      for (Index n = 0; n < width; ++n) {
        const S future = later[n];
        const bool done = (end[n] | cut[n]) != 0;
        g[n] = r[n] + gamma * (done ? S{0} : future);
      }
      add_final_values(block, t, terminated, truncated, gamma, final_values, g);
      next = g;
    }
  });
}

// The whole return R = sum_k gamma^k r_k of the episode that a step belongs to, on each of its
// steps; k counts from the episode's first step in this rollout. An episode that the rollout's end
// cuts off counts as far as it goes. A row that is not valid (null: all are) is no step, and k
// passes it by. Forward: partial sums; backward: an episode's last partial sum is copied to its
// earlier steps.
template <class S>
void episode_return(ConstMatrixView<S> rewards, FlagView terminated, FlagView truncated,
                    const bool* valid, S gamma, MatrixView<S> out) {
  const Index T = rewards.rows(), N = rewards.cols();
  for_each_column_block(truncated, false, [&](const ColumnBlock& block) {
    const Index width = block.end - block.begin;
    Buffer<S> sum = Buffer<S>::Zero(width), discount = Buffer<S>::Ones(width);
    const Buffer<std::uint8_t> always = Buffer<std::uint8_t>::Ones(width);
    for (Index t = 0; t < T; ++t) {
      const Index row = t * N + block.begin;
      const S* __restrict r = rewards.data() + row;
      const std::uint8_t* __restrict end = bytes(terminated.data() + row);
      const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
      const std::uint8_t* __restrict happened = valid ? bytes(valid + row) : always.data();
      S* __restrict g = out.data() + row;
      S* __restrict running = sum.data();
      S* __restrict weight = discount.data();
      for (Index n = 0; n < width; ++n) {
        const S with = running[n] + weight[n] * r[n], lighter = gamma * weight[n];
        const bool step = happened[n] != 0, done = (end[n] | cut[n]) != 0;
        const S total = step ? with : running[n], next_weight = step ? lighter : weight[n];
        g[n] = total;
        running[n] = done ? S{0} : total;
        weight[n] = done ? S{1} : next_weight;
      }
    }
    for (Index t = T - 2; t >= 0; --t) {
      const Index row = t * N + block.begin;
      const std::uint8_t* __restrict end = bytes(terminated.data() + row);
      const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
      S* __restrict g = out.data() + row;
      const S* __restrict later = g + N;
      for (Index n = 0; n < width; ++n) {
        const S own = g[n], whole = later[n];
        g[n] = (end[n] | cut[n]) != 0 ? own : whole;
      }
    }
  });
}

// Generalised advantage estimation (Schulman et al. 2016, eq. 16):
//   delta_t = r_t + gamma * V_{t+1} - V_t,   A_t = delta_t + gamma * lam * A_{t+1}
// with V_{t+1} and A_{t+1} cut as above.
template <class S>
void gae(ConstMatrixView<S> rewards, ConstMatrixView<S> values, FlagView terminated,
         FlagView truncated, S gamma, S lam, const S* final_values, MatrixView<S> advantages) {
  const Index T = rewards.rows(), N = rewards.cols();
  const S decay = gamma * lam;
  for_each_column_block(truncated, final_values != nullptr, [&](const ColumnBlock& block) {
    const Index width = block.end - block.begin;
    const Buffer<S> zero = Buffer<S>::Zero(width);
    const S* next = zero.data();
    for (Index t = T - 1; t >= 0; --t) {
      const Index row = t * N + block.begin;
      const S* __restrict r = rewards.data() + row;
      const S* __restrict v = values.data() + row;
      const S* __restrict v_next = v + N;
      const std::uint8_t* __restrict end = bytes(terminated.data() + row);
      const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
      const S* __restrict later = next;
      S* __restrict a = advantages.data() + row;
      for (Index n = 0; n < width; ++n) {
        const S future = gamma * v_next[n] + decay * later[n];
        const bool done = (end[n] | cut[n]) != 0;
        a[n] = (r[n] - v[n]) + (done ? S{0} : future);
      }
      add_final_values(block, t, terminated, truncated, gamma, final_values, a);
      next = a;
    }
  });
}

// The lambda-return (Sutton & Barto 2018, eq. 12.18), the exponential mean of the n-step returns:
//   G_t = r_t + gamma * ((1 - lam) V_{t+1} + lam G_{t+1})
// with the bracket cut as above; after the last row G is V. It is GAE + V.
template <class S>
void lambda_return(ConstMatrixView<S> rewards, ConstMatrixView<S> values, FlagView terminated,
                   FlagView truncated, S gamma, S lam, const S* final_values, MatrixView<S> out) {
  const Index T = rewards.rows(), N = rewards.cols();
  const S step = gamma * (S{1} - lam), decay = gamma * lam;
  for_each_column_block(truncated, final_values != nullptr, [&](const ColumnBlock& block) {
    const Index width = block.end - block.begin;
    const S* next = values.data() + T * N + block.begin;
    for (Index t = T - 1; t >= 0; --t) {
      const Index row = t * N + block.begin;
      const S* __restrict r = rewards.data() + row;
      const S* __restrict v_next = values.data() + row + N;
      const std::uint8_t* __restrict end = bytes(terminated.data() + row);
      const std::uint8_t* __restrict cut = bytes(truncated.data() + row);
      const S* later = next;  // in the last row it is v_next
      S* __restrict g = out.data() + row;
      for (Index n = 0; n < width; ++n) {
        const S future = step * v_next[n] + decay * later[n];
        const bool done = (end[n] | cut[n]) != 0;
        g[n] = r[n] + (done ? S{0} : future);
      }
      add_final_values(block, t, terminated, truncated, gamma, final_values, g);
      next = g;
    }
  });
}

}  // namespace pgfast
