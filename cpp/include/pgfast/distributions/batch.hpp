// A distribution's functions over a batch of its parameters z (B, Z), for those who bring their own
// network: tile after tile through the same code that a policy runs.
#pragma once

#include <algorithm>

#include "pgfast/parallel.hpp"
#include "pgfast/random.hpp"

namespace pgfast::batch {

template <class S, class D>
using ActionOf = typename D::template Action<S>;

// f(tile, first, rows), the tile holding the distributions of rows [first, first + rows).
template <class S, class D, class F>
void map_tiles(const D& distribution, const S* z, Index batch, F&& f) {
  for_each_block(batch, [&](Index begin, Index end) {
    typename D::template Tile<S> tile(distribution);
    for (Index first = begin; first < end; first += tile_rows) {
      const Index rows = std::min(tile_rows, end - first);
      tile.set(z + first * distribution.parameter_size(), rows);
      f(tile, first, rows);
    }
  });
}

template <class S, class D>
void log_prob(const D& distribution, const S* z, const ActionOf<S, D>* actions, Index batch,
              S* out) {
  map_tiles(distribution, z, batch,
            [&](auto& tile, Index first, Index) { tile.log_prob(actions + first * distribution.action_size(), out + first); });
}

template <class S, class D>
void score(const D& distribution, const S* z, const ActionOf<S, D>* actions, Index batch,
           S* out) {
  map_tiles(distribution, z, batch, [&](auto& tile, Index first, Index) {
    tile.score(actions + first * distribution.action_size(), static_cast<const S*>(nullptr),
               out + first * distribution.parameter_size());
  });
}

template <class S, class D>
void entropy(const D& distribution, const S* z, Index batch, S* out) {
  map_tiles(distribution, z, batch,
            [&](auto& tile, Index first, Index) { tile.entropy(out + first); });
}

// KL(p || q), row by row, of the distributions with parameters z and z_other.
template <class S, class D>
void kl(const D& distribution, const S* z, const S* z_other, Index batch, S* out) {
  map_tiles(distribution, z, batch, [&](auto& tile, Index first, Index rows) {
    typename D::template Tile<S> other(distribution);
    other.set(z_other + first * distribution.parameter_size(), rows);
    tile.kl(other, out + first);
  });
}

// Row b draws from stream b at `index`.
template <class S, class D>
void sample(const D& distribution, const S* z, Index batch, std::uint64_t seed, std::uint64_t index,
            ActionOf<S, D>* actions) {
  map_tiles(distribution, z, batch, [&](auto& tile, Index first, Index) {
    StreamTile<S> draws(seed, Purpose::action);
    tile.sample(draws, static_cast<std::uint32_t>(first), index,
                actions + first * distribution.action_size());
  });
}

}  // namespace pgfast::batch
