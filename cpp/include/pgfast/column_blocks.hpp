// How a rollout (T, N) is cut for recursions over time, and what its ends do to them.
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
// inner loops run over columns, load before they select, and become vector code; the bootstrap of
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
  parallel_for(blocks, T * 200, [&](Index block) {
    const Index begin = block * column_block;
    f(ColumnBlock{begin, std::min(N, begin + column_block),
                  with_final_values ? first_final.data() + block * T : nullptr});
  });
}

// f(n, V(final observation)) for the truncated, not terminated steps of row t in this block; n
// counts from the block's first column.
template <class S, class F>
void for_each_final(const ColumnBlock& block, Index t, FlagView terminated, FlagView truncated,
                    const S* final_values, F&& f) {
  if (final_values == nullptr) return;
  const Index N = truncated.cols();
  Index k = block.first_final[t];
  for_each_set(truncated.data() + t * N, block.begin, block.end, [&](Index n) {
    if (!terminated(t, n)) f(n - block.begin, final_values[k]);
    ++k;
  });
}

// Adds gamma * V(final observation) to those steps; `out` begins at the block's first column.
template <class S>
void add_final_values(const ColumnBlock& block, Index t, FlagView terminated, FlagView truncated,
                      S gamma, const S* final_values, S* out) {
  for_each_final(block, t, terminated, truncated, final_values,
                 [&](Index n, S value) { out[n] += gamma * value; });
}

}  // namespace pgfast
