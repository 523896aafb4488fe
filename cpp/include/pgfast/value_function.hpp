// A value function V(s; theta): a network with one output, fitted to targets y by least squares.
//
//   L = 1/n sum_i (V(s_i) - y_i)^2,   grad L = sum_i J_i' 2 (V(s_i) - y_i) / n,   J = dV/dtheta
//
// A linear network is fitted exactly, by ridge regression on its rows J_i = (what the network sees
// of s_i, 1). One with hidden layers takes Adam steps on minibatches.
//
// `samples` (n) names the samples that count, in the order of the sum; null means 0, 1, ... n - 1.
// What is not named is never read.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>

#include "pgfast/minibatch_network.hpp"
#include "pgfast/minibatch_value.hpp"
#include "pgfast/moments.hpp"
#include "pgfast/networks/preprocessed.hpp"
#include "pgfast/ridge_regression.hpp"
#include "pgfast/shuffle.hpp"

namespace pgfast {

using ValueNetwork = Preprocessed;
inline bool is_linear(const ValueNetwork& network) { return network.mlp().layers().size() == 1; }
inline Index last_inputs(const ValueNetwork& network) {
  return network.mlp().layers().back().inputs;
}

// The samples whose flag is set; all where there are no flags.
inline std::vector<Index> samples_of(const bool* valid, Index batch) {
  std::vector<Index> samples;
  samples.reserve(static_cast<std::size_t>(valid ? count_set(valid, 0, batch) : batch));
  for (Index i = 0; i < batch; ++i) {
    if (!valid || valid[i]) samples.push_back(i);
  }
  return samples;
}

// f(tile of the network, first, rows) with the rows [first, first + rows) of `samples` behind
// `forward`; each block has a tile and a copy of a tile's observations.
template <class S, class F>
void for_each_value_tile(const ValueNetwork& network, const S* theta, const S* observations,
                         const Index* samples, Index begin, Index end, F&& f) {
  const Index D = network.input_size();
  ValueNetwork::Tile<S> tile(network, theta);
  Buffer<S> gathered(samples ? tile_rows * D : 0);
  for (Index first = begin; first < end; first += tile_rows) {
    const Index rows = std::min(tile_rows, end - first);
    const S* x = observations + first * D;
    if (samples) {
      gather(observations, samples + first, rows, D, gathered.data());
      x = gathered.data();
    }
    f(tile, tile.forward(x, rows), first, rows);
  }
}

// out (n) = V(s_i)
template <class S>
void predict(const ValueNetwork& network, const S* theta, const S* observations,
             const Index* samples, Index n, S* out) {
  for_each_block(n, network.sample_ns(1), [&](Index begin, Index end) {
    for_each_value_tile(
        network, theta, observations, samples, begin, end,
        [&](auto&, const S* v, Index first, Index rows) { std::copy_n(v, rows, out + first); });
  });
}

// gradient (P) = grad L
template <class S>
void squared_error_gradient(const ValueNetwork& network, const S* theta, const S* observations,
                            const S* targets, const Index* samples, Index n, S* gradient) {
  const S scale = S{2} / static_cast<S>(n);
  const Index P = network.num_parameters();
  sum_over_blocks(n, network.sample_ns(3), P, gradient, [&](Index begin, Index end, S* sum) {
    for_each_value_tile(network, theta, observations, samples, begin, end,
                        [&](auto& tile, const S* v, Index first, Index rows) {
                          S dv[tile_rows];
                          for (Index r = 0; r < rows; ++r) {
                            const S y = targets[samples ? samples[first + r] : first + r];
                            dv[r] = scale * (v[r] - y);
                          }
                          tile.backward(dv, sum);
                        });
  });
}

// How well V predicts: the mean squared error, and the share of the targets' variance that it
// explains, 1 - Var(y - V) / Var(y); 0 where the targets don't vary.
struct ValueError {
  double loss = 0, explained_variance = 0, mean_residual = 0, target_variance = 0;
};

template <class S>
ValueError value_error(const ValueNetwork& network, const S* theta, const S* observations,
                       const S* targets, const Index* samples, Index n) {
  Buffer<S> v(n);
  predict(network, theta, observations, samples, n, v.data());
  const auto target = [&](Index i) {
    return static_cast<double>(targets[samples ? samples[i] : i]);
  };
  const Moments y = moments(n, nullptr, target);
  const Moments left =
      moments(n, nullptr, [&](Index i) { return target(i) - static_cast<double>(v[i]); });
  ValueError error;
  error.mean_residual = left.first + left.mean;
  error.loss = left.variance + error.mean_residual * error.mean_residual;
  error.target_variance = y.variance;
  error.explained_variance = y.variance == 0 ? 0 * left.variance : 1 - left.variance / y.variance;
  return error;
}

// A linear network's exact fit; theta is written whatever comes out. Its rows J_i are what its
// layer sees of s_i, then 1.
template <class S>
RidgeOutcome fit_ridge(const ValueNetwork& network, S* theta, const S* observations,
                       const S* targets, const Index* samples, Index n, double ridge) {
  const Index D = network.input_size(), P = network.num_parameters(), J = P - 1;
  const auto make_reader = [&] {
    return [&, tile = ValueNetwork::Tile<S>(network, theta),
            gathered = Buffer<S>(samples ? tile_rows * D : 0)](Index first, Index last,
                                                               double* rows) mutable {
      const S* x = observations + first * D;
      if (samples) {
        gather(observations, samples + first, last - first, D, gathered.data());
        x = gathered.data();
      }
      const S* seen = tile.preprocess(x, last - first);
      for (Index i = first; i < last; ++i, seen += J, rows += P) {
        for (Index j = 0; j < J; ++j) rows[j] = static_cast<double>(seen[j]);
        rows[J] = static_cast<double>(targets[samples ? samples[i] : i]);
      }
      return last - first;
    };
  };
  Buffer<double> weights(P);
  const RidgeOutcome outcome = ridge_regression(n, J, ridge, make_reader, weights.data());
  for (Index j = 0; j < P; ++j) theta[j] = static_cast<S>(weights[j]);
  return outcome;
}

struct MinibatchFit {
  Index epochs, batch_size;
  double learning_rate;
  std::uint64_t seed;    // of the order of the samples:
  std::uint32_t stream;  // epoch e takes the draws from e n on
};

// Adam on minibatches, the samples in a new order in each epoch; theta is written whatever comes
// out.
//
// Steps of Adam have the size of its learning rate, whatever the scale of the targets. So that
// rewards a hundred times larger are not learned a hundred times slower, the fit is made in units
// of the targets' standard deviation: targets and last layer are divided by it and the last layer
// is multiplied by it in the end. Rounded to a power of two it costs no rounding. And V begins with
// the right mean, which is the last bias' own least squares.
template <class S>
void fit_minibatches(const ValueNetwork& network, S* theta, const S* observations, const S* targets,
                     std::vector<Index> samples, const MinibatchFit& fit) {
  const Index P = network.num_parameters(), n = static_cast<Index>(samples.size());
  const ValueError before = value_error(network, theta, observations, targets, samples.data(), n);
  theta[P - 1] += static_cast<S>(before.mean_residual);
  const double deviation = std::sqrt(before.target_variance);
  const auto unit =
      static_cast<S>(deviation > 0 ? std::exp2(std::round(std::log2(deviation))) : 1.0);
  Eigen::Map<Buffer<S>> last_layer(theta + P - last_inputs(network) - 1, last_inputs(network) + 1);
  last_layer /= unit;
  Index largest = 0;
  for (const Index i : samples) largest = std::max(largest, i);
  Buffer<S> scaled = Buffer<S>::Zero(largest + 1);
  for (const Index i : samples) scaled[i] = targets[i] / unit;

  Buffer<S> m = Buffer<S>::Zero(P), v = Buffer<S>::Zero(P);
  AdamParameters<S> adam{theta, m.data(), v.data(), P, 0, static_cast<S>(fit.learning_rate)};
  const ValueSamples<S> fitted{scaled.data(), nullptr, S{0}};
  using Tile = detail::GatheredValueTile<S, ValueNetwork>;
  {  // until all steps are made
    detail::MinibatchNetwork descent(adam, S{-1}, network.sample_ns(3), [&] {
      return std::make_unique<Tile>(network, theta, observations, fitted);
    });
    for (Index epoch = 0; epoch < fit.epochs; ++epoch) {
      shuffle(samples.data(), n, fit.seed, fit.stream, static_cast<std::uint64_t>(epoch * n));
      for (Index first = 0; first < n; first += fit.batch_size) {
        const Index count = std::min(fit.batch_size, n - first);
        descent.begin(samples.data() + first, count, S{2} / static_cast<S>(count));
        parallel_for(descent.blocks());
        descent.begin_step();
      }
    }
  }
  last_layer *= unit;
}

}  // namespace pgfast
