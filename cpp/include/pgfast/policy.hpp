// policy = network o distribution: z = f(observation; theta), action ~ p(. | z).
//
// Every gradient is the same three steps on a tile of samples: forward, dL/dz from the
// distribution, backward. With J = dz/dtheta of one sample:
//
//   score                 sum_b w_b grad log pi(a_b | s_b) = sum_b J_b' w_b d log p(a_b) / dz
//   Fisher-vector product mean_b J_b' M_b J_b v, M the distribution's Fisher metric in z
//
// Memory plan: a tile's activations stay in cache between the three steps, and no matrix of size
// batch x parameters or parameters x parameters is ever made (`scores` excepted: it is its output).
#pragma once

#include <algorithm>

#include "pgfast/conjugate_gradient.hpp"
#include "pgfast/distributions/softmax.hpp"
#include "pgfast/networks/mlp.hpp"
#include "pgfast/networks/state_action_linear.hpp"
#include "pgfast/parallel.hpp"

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

// Work memory of a policy for one tile of samples.
template <class S, class P>
struct PolicyTile {
  typename P::Network::template Tile<S> network;
  typename P::Distribution::template Tile<S> distribution;
  Buffer<S> dz;

  PolicyTile(const P& policy, const S* theta)
      : network(policy.network, theta),
        distribution(policy.distribution),
        dz(Buffer<S>::Zero(padded(tile_rows * policy.network.output_size()))) {}

  void forward(const S* observations, Index rows) {
    distribution.set(network.forward(observations, rows), rows);
  }
};

// f(first, rows) over [begin, end) in whole tiles and a rest.
template <class F>
void for_each_tile(Index begin, Index end, F&& f) {
  for (Index first = begin; first < end; first += tile_rows) {
    f(first, std::min(tile_rows, end - first));
  }
}

// f(tile, first, rows) over a batch, each block of samples with its own tile.
template <class S, class P, class F>
void map_tiles(const P& policy, const S* theta, Index batch, F&& f) {
  for_each_block(batch, [&](Index begin, Index end) {
    PolicyTile<S, P> tile(policy, theta);
    for_each_tile(begin, end, [&](Index first, Index rows) { f(tile, first, rows); });
  });
}

template <class S, class P>
void parameters_of(const P& policy, const S* theta, const S* observations, Index batch, S* z) {
  const Index D = policy.network.input_size(), A = policy.network.output_size();
  map_tiles(policy, theta, batch, [&](auto& tile, Index first, Index rows) {
    const S* z_tile = tile.network.forward(observations + first * D, rows);
    std::copy(z_tile, z_tile + rows * A, z + first * A);
  });
}

template <class S, class P>
void mode(const P& policy, const S* theta, const S* observations, Index batch,
          typename P::template Action<S>* actions) {
  const Index D = policy.network.input_size();
  map_tiles(policy, theta, batch, [&](auto& tile, Index first, Index rows) {
    tile.forward(observations + first * D, rows);
    tile.distribution.mode(actions + first * policy.distribution.action_size());
  });
}

template <class S, class P>
void log_prob(const P& policy, const S* theta, const S* observations,
              const typename P::template Action<S>* actions, Index batch, S* out) {
  const Index D = policy.network.input_size();
  map_tiles(policy, theta, batch, [&](auto& tile, Index first, Index rows) {
    tile.forward(observations + first * D, rows);
    tile.distribution.log_prob(actions + first * policy.distribution.action_size(), out + first);
  });
}

template <class S, class P>
void entropy(const P& policy, const S* theta, const S* observations, Index batch, S* out) {
  const Index D = policy.network.input_size();
  map_tiles(policy, theta, batch, [&](auto& tile, Index first, Index rows) {
    tile.forward(observations + first * D, rows);
    tile.distribution.entropy(out + first);
  });
}

// KL(pi_theta || pi_other) of each sample.
template <class S, class P>
void kl(const P& policy, const S* theta, const P& other, const S* other_theta,
        const S* observations, Index batch, S* out) {
  const Index D = policy.network.input_size();
  for_each_block(batch, [&](Index begin, Index end) {
    PolicyTile<S, P> tile(policy, theta), other_tile(other, other_theta);
    for_each_tile(begin, end, [&](Index first, Index rows) {
      tile.forward(observations + first * D, rows);
      other_tile.forward(observations + first * D, rows);
      tile.distribution.kl(other_tile.distribution, out + first);
    });
  });
}

// out (P) = sum_b w_b grad log pi(a_b | s_b). `weights` may be null: 1. A tile whose weights are
// all zero (the padding behind episodes that are over) is passed over unseen; in
// other tiles a sample of weight zero must be finite, as 0 * NaN is NaN.
template <class S, class P>
void score(const P& policy, const S* theta, const S* observations,
           const typename P::template Action<S>* actions, const S* weights, Index batch, S* out) {
  const Index D = policy.network.input_size();
  sum_over_blocks(batch, policy.network.num_parameters(), out,
                  [&](Index begin, Index end, S* gradient) {
                    PolicyTile<S, P> tile(policy, theta);
                    for_each_tile(begin, end, [&](Index first, Index rows) {
                      const S* w = weights ? weights + first : nullptr;
                      if (w && std::all_of(w, w + rows, [](S x) { return x == S{0}; })) return;
                      tile.forward(observations + first * D, rows);
                      tile.distribution.score(actions + first * policy.distribution.action_size(), w, tile.dz.data());
                      tile.network.backward(tile.dz.data(), gradient);
                    });
                  });
}

// out (B, P): each sample's score.
template <class S, class P>
void scores(const P& policy, const S* theta, const S* observations,
            const typename P::template Action<S>* actions, Index batch, S* out) {
  const Index D = policy.network.input_size(), size = policy.network.num_parameters();
  for_each_block(batch, [&](Index begin, Index end) {
    PolicyTile<S, P> tile(policy, theta);
    std::fill(out + begin * size, out + end * size, S{0});
    for (Index b = begin; b < end; ++b) {
      tile.forward(observations + b * D, 1);
      tile.distribution.score(actions + b * policy.distribution.action_size(), nullptr, tile.dz.data());
      tile.network.backward(tile.dz.data(), out + b * size);
    }
  });
}

// out (P) = mean_b J_b' M_b J_b v + damping v
template <class S, class P>
void fisher_vector_product(const P& policy, const S* theta, const S* observations, Index batch,
                           const S* v, S damping, S* out) {
  const Index D = policy.network.input_size(), size = policy.network.num_parameters();
  const S scale = S{1} / static_cast<S>(batch);
  sum_over_blocks(batch, size, out, [&](Index begin, Index end, S* product) {
    PolicyTile<S, P> tile(policy, theta);
    for_each_tile(begin, end, [&](Index first, Index rows) {
      tile.forward(observations + first * D, rows);
      tile.network.jvp(v, tile.dz.data());
      tile.distribution.fisher(tile.dz.data(), scale);
      tile.network.backward(tile.dz.data(), product);
    });
  });
  for (Index i = 0; i < size; ++i) out[i] += damping * v[i];
}

// x with (F + damping I) x = gradient, F the Fisher matrix of the batch.
template <class S, class P>
CGOutcome natural_gradient(const P& policy, const S* theta, const S* observations, Index batch,
                           const S* gradient, double damping, double tolerance,
                           Index max_iterations, S* x) {
  return conjugate_gradient<S>(
      [&](const S* v, S* out) {
        fisher_vector_product(policy, theta, observations, batch, v, S{0}, out);
      },
      gradient, x, policy.network.num_parameters(), tolerance, max_iterations, damping);
}

}  // namespace pgfast
