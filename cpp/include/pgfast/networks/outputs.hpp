// A network's outputs over a whole batch, tile after tile.
#pragma once

#include <algorithm>

#include "pgfast/parallel.hpp"

namespace pgfast {

// f(first, rows) over [begin, end) in whole tiles and a rest.
template <class F>
void for_each_tile(Index begin, Index end, F&& f) {
  for (Index first = begin; first < end; first += tile_rows) {
    f(first, std::min(tile_rows, end - first));
  }
}

// z (count, Z): a network's outputs; a policy's are the parameters of its distributions.
template <class S, class Network>
void network_outputs(const Network& network, const S* theta, const S* observations, Index count,
                     S* z) {
  const Index D = network.input_size(), Z = network.output_size();
  for_each_block(count, network.sample_ns(1), [&](Index begin, Index end) {
    typename Network::template Tile<S> tile(network, theta);
    for_each_tile(begin, end, [&](Index first, Index rows) {
      const S* z_tile = tile.forward(observations + first * D, rows);
      std::copy(z_tile, z_tile + rows * Z, z + first * Z);
    });
  });
}

}  // namespace pgfast
