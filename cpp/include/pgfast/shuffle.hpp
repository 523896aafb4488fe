// A random order of a batch's samples, for minibatches.
#pragma once

#include <utility>

#include "pgfast/random.hpp"

namespace pgfast {

// Fisher and Yates: item i = count - 1, ..., 1 changes places with item floor(u (i + 1)), where u
// in [0, 1) is draw first_index + i of the stream. u has 53 bits: among a million items no place is
// favoured by more than one part in 10^9.
inline void shuffle(Index* items, Index count, std::uint64_t seed, std::uint32_t stream,
                    std::uint64_t first_index) {
  for (Index i = count - 1; i > 0; --i) {
    const double u = uniform<double>(seed, Purpose::shuffle, stream,
                                     first_index + static_cast<std::uint64_t>(i));
    std::swap(items[i], items[static_cast<Index>(u * static_cast<double>(i + 1))]);
  }
}

}  // namespace pgfast
