// Returns and advantages of a rollout (T, N), time-major, by backward recursions over time.
//
// Every recursion is y_t = x_t + decay * tail_t, where the tail of a step that ends an episode is
// cut. What stands in for the tail:
//
//   not done     the next step's y; after the last row, the bootstrap from V(last_observations)
//   truncated    gamma * V(final observation of this step), never the reset state's value
//   terminated   nothing, also where the step is truncated as well
//
// Memory plan: columns in blocks of `column_block`, so that the row of y that the recursion reads
// back is still in the first-level cache (4 KiB for float32) and each input is streamed once. The
// inner loop runs over columns, loads before it selects, and becomes vector code; the bootstrap of
// a truncated step is added afterwards to the few elements that need it. Tails are cut by
// selection, not by multiplication with zero: a NaN on the far side of an episode's end stays
// there.
#pragma once

#include <vector>

#include "pgfast/arrays.hpp"
#include "pgfast/parallel.hpp"

namespace pgfast {

inline constexpr Index column_block = 1024;

// The columns [begin, end) of one block, and where its truncated steps stand in `final_values`,
// which has one entry per truncated step in the order of argwhere (row by row).
struct ColumnBlock {
  Index begin, end;
  const Index* first_final;  // per row; null where there are no final values
};

// f(ColumnBlock) over all columns of a (T, N) batch.
template <class F>
void for_each_column_block(FlagView truncated, bool with_final_values, F&& f) {
  const Index T = truncated.rows(), N = truncated.cols();
  const Index blocks = ceil_div(N, column_block);
  // first_final[block * T + t]: how many truncated steps come before row t, column block * 1024.
  std::vector<Index> first_final(with_final_values ? static_cast<std::size_t>(blocks * T) : 0);
  if (with_final_values) {
    Index seen = 0;
    for (Index t = 0; t < T; ++t) {
      for (Index block = 0; block < blocks; ++block) {
        first_final[static_cast<std::size_t>(block * T + t)] = seen;
        const Index begin = block * column_block, end = std::min(N, begin + column_block);
        seen += count_set(truncated.data() + t * N, begin, end);
      }
    }
  }
  // A block of 1024 columns takes about 0.2 us a row; 64 rows pay for a thread.
  parallel_for(blocks, ceil_div(64, T), [&](Index block) {
    const Index begin = block * column_block;
    f(ColumnBlock{begin, std::min(N, begin + column_block),
                  with_final_values ? first_final.data() + block * T : nullptr});
  });
}

// Adds gamma * V(final observation) to the truncated, not terminated steps of row t.
template <class S>
void add_final_values(const ColumnBlock& block, Index t, FlagView terminated, FlagView truncated,
                      S gamma, const S* final_values, S* out) {
  if (final_values == nullptr) return;
  const Index N = truncated.cols();
  Index k = block.first_final[t];
  for_each_set(truncated.data() + t * N, block.begin, block.end, [&](Index n) {
    if (!terminated(t, n)) out[n] += gamma * final_values[k];
    ++k;
  });
}

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
      add_final_values(block, t, terminated, truncated, gamma, final_values, out.data() + t * N);
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
// with V_{t+1} and A_{t+1} cut as above. `values` is (T + 1, N).
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
      add_final_values(block, t, terminated, truncated, gamma, final_values,
                       advantages.data() + t * N);
      next = a;
    }
  });
}

}  // namespace pgfast
