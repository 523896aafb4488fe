// policy = network o distribution: z = f(observation; theta), action ~ p(. | z).
//
// Every gradient is the same three steps on a tile of samples: forward, dL/dz from the
// distribution, backward. With J = dz/dtheta of one sample:
//
//   score   sum_b w_b grad log pi(a_b | s_b) = sum_b J_b' w_b d log p(a_b) / dz
//
// and the Fisher-vector product in fisher.hpp is another.
//
// Memory plan: a tile's activations stay in cache between the three steps, and no matrix of size
// batch x parameters or parameters x parameters is ever made (`scores` excepted: it is its output).
#pragma once

#include <algorithm>
#include <atomic>

#include "pgfast/networks/outputs.hpp"

namespace pgfast {

template <class Network_, class Distribution_>
struct Policy {
  using Network = Network_;
  using Distribution = Distribution_;
  template <class S>
  using Action = typename Distribution::template Action<S>;

  Network network;
  Distribution distribution;
};

// What a policy decides on: observations (count, D), and where some actions are forbidden the masks
// (count, Z) of the allowed ones, Z the number of logits; null where all are allowed.
template <class S>
struct States {
  const S* observations;
  Index count;
  const bool* masks = nullptr;

  // Asks for the observations of the tile that begins at `first`, if it begins before `end`: a tile
  // of the smallest networks takes about as long as its observations take to come from memory. Of
  // long ones no more than 128 numbers a row, lest they drive this tile's out of the first-level
  // cache.
  void prefetch_tile(Index first, Index end, Index D) const {
    const Index rows = std::clamp<Index>(end - first, 0, tile_rows);
    prefetch(observations + first * D, rows * std::min<Index>(D, 128));
  }
};

// Gives a tile of distributions its parameters; the continuous ones know no masks.
template <class Tile, class S>
void set_distribution(Tile& tile, const S* z, Index rows, const bool* masks) {
  if constexpr (requires { tile.set(z, rows, masks); }) {
    tile.set(z, rows, masks);
  } else {
    tile.set(z, rows);
  }
}

// Work memory of a policy for one tile of samples.
template <class S, class P>
struct PolicyTile {
  typename P::Network::template Tile<S> network;
  typename P::Distribution::template Tile<S> distribution;
  Buffer<S> dz;
  Index D, Z;

  PolicyTile(const P& policy, const S* theta)
      : network(policy.network, theta),
        distribution(policy.distribution),
        dz(Buffer<S>::Zero(padded(tile_rows * policy.network.output_size()))),
        D(policy.network.input_size()),
        Z(policy.network.output_size()) {}

  void forward(const S* observations, Index rows, const bool* masks = nullptr) {
    set_distribution(distribution, network.forward(observations, rows), rows, masks);
  }
  void forward(const States<S>& states, Index first, Index rows) {
    forward(states.observations + first * D, rows,
            states.masks ? states.masks + first * Z : nullptr);
  }
};

// f(tile, first, rows) over a batch, each block of samples with its own tile, after the forward
// pass.
template <class S, class P, class F>
void map_tiles(const P& policy, const S* theta, const States<S>& states, F&& f) {
  for_each_block(states.count, policy.network.sample_ns(1), [&](Index begin, Index end) {
    PolicyTile<S, P> tile(policy, theta);
    for_each_tile(begin, end, [&](Index first, Index rows) {
      tile.forward(states, first, rows);
      f(tile, first, rows);
    });
  });
}

template <class S, class P>
void mode(const P& policy, const S* theta, const States<S>& states,
          typename P::template Action<S>* actions) {
  const Index A = policy.distribution.action_size();
  map_tiles(policy, theta, states,
            [&](auto& tile, Index first, Index) { tile.distribution.mode(actions + first * A); });
}

template <class S, class P>
void log_prob(const P& policy, const S* theta, const States<S>& states,
              const typename P::template Action<S>* actions, S* out) {
  const Index A = policy.distribution.action_size();
  map_tiles(policy, theta, states, [&](auto& tile, Index first, Index) {
    tile.distribution.log_prob(actions + first * A, out + first);
  });
}

template <class S, class P>
void entropy(const P& policy, const S* theta, const States<S>& states, S* out) {
  map_tiles(policy, theta, states,
            [&](auto& tile, Index first, Index) { tile.distribution.entropy(out + first); });
}

// KL(pi_theta || pi_other) of each sample.
template <class S, class P>
void kl(const P& policy, const S* theta, const P& other, const S* other_theta,
        const States<S>& states, S* out) {
  const double sample_ns = policy.network.sample_ns(1) + other.network.sample_ns(1);
  for_each_block(states.count, sample_ns, [&](Index begin, Index end) {
    PolicyTile<S, P> tile(policy, theta), other_tile(other, other_theta);
    for_each_tile(begin, end, [&](Index first, Index rows) {
      tile.forward(states, first, rows);
      other_tile.forward(states, first, rows);
      tile.distribution.kl(other_tile.distribution, out + first);
    });
  });
}

// How many (sample, dimension) pairs of a Gaussian policy have their sigma held up by the floor.
template <class S, class P>
Index floored_count(const P& policy, const S* theta, const States<S>& states) {
  std::atomic<Index> count = 0;
  map_tiles(policy, theta, states,
            [&](auto& tile, Index, Index) { count += tile.distribution.floored(); });
  return count;
}

// out (P) = sum_b w_b grad log pi(a_b | s_b). `weights` may be null: 1. A tile whose weights are
// all zero (the padding behind episodes that are over) is passed over unseen; in
// other tiles a sample of weight zero must be finite, as 0 * NaN is NaN.
template <class S, class P>
void score(const P& policy, const S* theta, const States<S>& states,
           const typename P::template Action<S>* actions, const S* weights, S* out) {
  const Index A = policy.distribution.action_size();
  sum_over_blocks(states.count, policy.network.sample_ns(3), policy.network.num_parameters(), out,
                  [&](Index begin, Index end, S* gradient) {
                    PolicyTile<S, P> tile(policy, theta);
                    for_each_tile(begin, end, [&](Index first, Index rows) {
                      const S* w = weights ? weights + first : nullptr;
                      if (w && std::all_of(w, w + rows, [](S x) { return x == S{0}; })) return;
                      tile.forward(states, first, rows);
                      tile.distribution.score(actions + first * A, w, tile.dz.data());
                      states.prefetch_tile(first + rows, end, tile.D);
                      tile.network.backward(tile.dz.data(), gradient);
                    });
                  });
}

// out (count, P): each sample's score. One row at a time uses a tenth of what the arithmetic could.
template <class S, class P>
void scores(const P& policy, const S* theta, const States<S>& states,
            const typename P::template Action<S>* actions, S* out) {
  const Index A = policy.distribution.action_size(), size = policy.network.num_parameters();
  for_each_block(states.count, policy.network.sample_ns(30), [&](Index begin, Index end) {
    PolicyTile<S, P> tile(policy, theta);
    std::fill(out + begin * size, out + end * size, S{0});
    for (Index b = begin; b < end; ++b) {
      tile.forward(states, b, 1);
      tile.distribution.score(actions + b * A, nullptr, tile.dz.data());
      tile.network.backward(tile.dz.data(), out + b * size);
    }
  });
}

}  // namespace pgfast
