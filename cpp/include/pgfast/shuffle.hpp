// A random order of a batch's samples, for minibatches.
#pragma once

#include <utility>

#include "pgfast/random.hpp"

namespace pgfast {

// Fisher and Yates, from the end (Durstenfeld 1964): item i = count - 1, ..., 1 changes places with
// item floor(u (i + 1)), where u in [0, 1) is draw first_index + i of the stream. u has 53 bits:
// among a million items no place is favoured by more than one part in 10^9. Two draws lie in one
// Philox block, which is made once for both.
inline void shuffle(Index* items, Index count, std::uint64_t seed, std::uint32_t stream,
                    std::uint64_t first_index) {
  PhiloxBlock block{};
  std::uint64_t made = first_index + static_cast<std::uint64_t>(count) + 2;  // none of those below
  for (Index i = count - 1; i > 0; --i) {
    const std::uint64_t index = first_index + static_cast<std::uint64_t>(i);
    if (index / 2 != made) {
      made = index / 2;
      block = philox(seed, Purpose::shuffle, stream, made);
    }
    const double u = uniform_from_words<double>(block.data() + 2 * (index % 2));
    std::swap(items[i], items[static_cast<Index>(u * static_cast<double>(i + 1))]);
  }
}

}  // namespace pgfast
