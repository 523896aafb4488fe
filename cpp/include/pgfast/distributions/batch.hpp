// A distribution's functions over a batch of its parameters, for those who bring their own network:
// tile after tile through the same code that a policy runs.
//
// Where the parameters lie is known by an object with `Scalar` and set(tile, first, rows), which
// puts those of rows [first, first + rows) into a tile.
#pragma once

#include <algorithm>

#include "pgfast/parallel.hpp"
#include "pgfast/stream_tile.hpp"

namespace pgfast::batch {

// z (B, size), and for distributions that take one a mask (B, size) or null.
template <class S>
struct Parameters {
  using Scalar = S;
  const S* z;
  Index size;
  const bool* mask = nullptr;

  template <class Tile>
  void set(Tile& tile, Index first, Index rows) const {
    if constexpr (requires { tile.set(z, rows, mask); }) {
      tile.set(z + first * size, rows, mask ? mask + first * size : nullptr);
    } else {
      tile.set(z + first * size, rows);
    }
  }
};

// Of Gaussians: mean (B, A) and log_std (B, A), or (A,) with log_std_stride 0.
template <class S>
struct GaussianParameters {
  using Scalar = S;
  const S *mean, *log_std;
  Index A, log_std_stride;

  template <class Tile>
  void set(Tile& tile, Index first, Index rows) const {
    tile.set(mean + first * A, A, log_std + first * log_std_stride, log_std_stride, rows);
  }
};

template <class D, class P>
using TileOf = typename D::template Tile<typename P::Scalar>;
template <class D, class P>
using ActionOf = typename D::template Action<typename P::Scalar>;

// Nanoseconds that a row takes.
template <class D>
double row_ns(const D& distribution) {
  return 2 + static_cast<double>(distribution.parameter_size()) / 2;
}

// f(tile, first, rows), the tile holding the distributions of rows [first, first + rows).
template <class D, class P, class F>
void map_tiles(const D& distribution, const P& parameters, Index batch, F&& f) {
  for_each_block(batch, row_ns(distribution), [&](Index begin, Index end) {
    TileOf<D, P> tile(distribution);
    for (Index first = begin; first < end; first += tile_rows) {
      const Index rows = std::min(tile_rows, end - first);
      parameters.set(tile, first, rows);
      f(tile, first, rows);
    }
  });
}

template <class D, class P>
void log_prob(const D& distribution, const P& parameters, const ActionOf<D, P>* actions,
              Index batch, typename P::Scalar* out) {
  const Index A = distribution.action_size();
  map_tiles(distribution, parameters, batch, [&](auto& tile, Index first, Index) {
    tile.log_prob(actions + first * A, out + first);
  });
}

// out (B, Z)
template <class D, class P>
void score(const D& distribution, const P& parameters, const ActionOf<D, P>* actions, Index batch,
           typename P::Scalar* out) {
  const Index A = distribution.action_size(), Z = distribution.parameter_size();
  map_tiles(distribution, parameters, batch, [&](auto& tile, Index first, Index) {
    tile.score(actions + first * A, nullptr, out + first * Z);
  });
}

template <class D, class P>
void entropy(const D& distribution, const P& parameters, Index batch, typename P::Scalar* out) {
  map_tiles(distribution, parameters, batch,
            [&](auto& tile, Index first, Index) { tile.entropy(out + first); });
}

// KL(p || q), row by row, of the distributions with `parameters` and those with `others`.
template <class D, class P>
void kl(const D& distribution, const P& parameters, const P& others, Index batch,
        typename P::Scalar* out) {
  for_each_block(batch, 2 * row_ns(distribution), [&](Index begin, Index end) {
    TileOf<D, P> tile(distribution), other(distribution);
    for (Index first = begin; first < end; first += tile_rows) {
      const Index rows = std::min(tile_rows, end - first);
      parameters.set(tile, first, rows);
      others.set(other, first, rows);
      tile.kl(other, out + first);
    }
  });
}

// Row b draws from stream b at `index`.
template <class D, class P>
void sample(const D& distribution, const P& parameters, Index batch, std::uint64_t seed,
            std::uint64_t index, ActionOf<D, P>* actions) {
  const Index A = distribution.action_size();
  for_each_block(batch, row_ns(distribution), [&](Index begin, Index end) {
    TileOf<D, P> tile(distribution);
    StreamTile<typename P::Scalar> draws(seed, Purpose::action);
    for (Index first = begin; first < end; first += tile_rows) {
      parameters.set(tile, first, std::min(tile_rows, end - first));
      tile.sample(draws, static_cast<std::uint32_t>(first), index, actions + first * A);
    }
  });
}

}  // namespace pgfast::batch
