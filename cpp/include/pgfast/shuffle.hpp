// A random order of samples (Durstenfeld 1964): for i = n - 1, ..., 1 swap entries i and j, j even
// on 0..i. j is the high half of word * (i + 1): its bias is below n / 2^32.
#pragma once

#include <utility>

#include "pgfast/random.hpp"

namespace pgfast {

// Puts `order` (n) into another order. Stream `stream` of the seed decides: the epoch, say.
inline void shuffle(Index* order, Index n, std::uint64_t seed, std::uint32_t stream) {
  constexpr Index words = 4;
  PhiloxBlock block{};
  for (Index i = n - 1, k = 0; i > 0; --i, ++k) {
    if (k % words == 0) {
      block = philox(seed, Purpose::minibatch, stream, static_cast<std::uint64_t>(k / words));
    }
    const std::uint64_t product = std::uint64_t{block[static_cast<std::size_t>(k % words)]} *
                                  static_cast<std::uint64_t>(i + 1);
    std::swap(order[i], order[static_cast<Index>(product >> 32)]);
  }
}

}  // namespace pgfast
