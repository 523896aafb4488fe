<<<<<<< HEAD
// A random order of samples (Durstenfeld 1964): for i = n - 1, ..., 1 swap entries i and j, j even
// on 0..i. j is the high half of word * (i + 1): its bias is below n / 2^32.
=======
// A random order of a batch's samples, for minibatches.
>>>>>>> estimators
#pragma once

#include <utility>

#include "pgfast/random.hpp"

namespace pgfast {

<<<<<<< HEAD
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
=======
// Fisher and Yates: item i = count - 1, ..., 1 changes places with item floor(u (i + 1)), where u
// in [0, 1) is draw first_index + i of the stream. 53 bits of u: for a million items no order is
// favoured by more than one in 10^9.
inline void shuffle(Index* items, Index count, std::uint64_t seed, std::uint32_t stream,
                    std::uint64_t first_index) {
  for (Index i = count - 1; i > 0; --i) {
    const double u = uniform<double>(seed, Purpose::shuffle, stream,
                                     first_index + static_cast<std::uint64_t>(i));
    std::swap(items[i], items[static_cast<Index>(u * static_cast<double>(i + 1))]);
>>>>>>> estimators
  }
}

}  // namespace pgfast
