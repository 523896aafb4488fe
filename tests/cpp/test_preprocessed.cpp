#include "networks.hpp"
#include "pgfast/features/fourier.hpp"
#include "pgfast/features/one_hot.hpp"
#include "pgfast/features/polynomial.hpp"
#include "pgfast/networks/preprocessed.hpp"

namespace pgfast {
namespace {

using check::Array;

std::shared_ptr<const Normalization> normalization(Index D, double limit = 1.5) {
  Normalization n{Buffer<double>(D), Buffer<double>(D), limit};
  for (Index d = 0; d < D; ++d) {
    n.mean[d] = 0.25 * static_cast<double>(d) - 0.5;
    n.scale[d] = 1.0 / (1.0 + static_cast<double>(d));
  }
  return std::make_shared<const Normalization>(n);
}

std::shared_ptr<const Features> polynomial(Index D) {
  return std::make_shared<FeatureMap<Polynomial>>(Polynomial(D, 2));
}

std::shared_ptr<const Features> fourier() {
  return std::make_shared<FeatureMap<Fourier>>(Fourier(Bounds({-2, -2, -2}, {2, 2, 2}), 2));
}

// f(network) with each thing before the layers, and with both.
template <class F>
void for_each_network(F&& f) {
  {
    const check::Context at("nothing before the layers");
    f(Preprocessed(Mlp({3, 7, 2}, Activation::tanh)));
  }
  {
    const check::Context at("normalization");
    f(Preprocessed(Mlp({3, 7, 2}, Activation::tanh), nullptr, normalization(3)));
  }
  {
    const check::Context at("linear over features");
    f(Preprocessed(Mlp({10, 2}, Activation::tanh), polynomial(3)));
  }
  const check::Context at("normalization, then features");
  f(Preprocessed(Mlp({27, 5, 2}, Activation::tanh), fourier(), normalization(3)));
}

TEST(sizes, "The input is the observation, the parameters are the layers'.") {
  const Preprocessed network(Mlp({10, 4, 2}, Activation::relu), polynomial(3), normalization(3));
  CHECK_EQ(network.input_size(), 3);
  CHECK_EQ(network.output_size(), 2);
  CHECK_EQ(network.num_parameters(), 11 * 4 + 5 * 2);
}

TEST(forward_by_hand, "Observations are normalized and clipped, then made features, then seen.") {
  check::for_each_scalar([]<class S>() {
    for_each_network([](const Preprocessed& network) {
      const Index rows = 19, D = network.input_size();
      const auto x = check::normals<S>(rows * D, 2, 3.0);  // some of them beyond the limit
      Array<S> seen = x;
      if (const Normalization* n = network.normalization()) {
        const S limit = static_cast<S>(n->limit);
        Index clipped = 0;
        for (Index i = 0; i < seen.size(); ++i) {
          const S y = (x[i] - static_cast<S>(n->mean[i % D])) * static_cast<S>(n->scale[i % D]);
          seen[i] = std::min(std::max(y, -limit), limit);
          clipped += seen[i] != y;
        }
        CHECK(clipped > 0 && clipped < seen.size());
      }
      if (const Features* phi = network.features()) {
        Array<S> features(rows * phi->output_size());
        apply_features(*phi, seen.data(), rows, features.data());
        seen = features;
      }
      const Array<S> theta = check::parameters<S>(network);
      CHECK_SAME(check::forward(network, theta, x), check::forward(network.mlp(), theta, seen));
    });
  });
}

TEST(calculus, "backward and jvp are the derivatives of forward, adjoint and linear.") {
  for_each_network([](const Preprocessed& network) {
    for (const Index rows : {1, 3, 32}) check::network(network, rows);
  });
}

TEST(rows, "A row has the same bits alone, in a tile and wherever it stands in the tile.") {
  for_each_network([](const Preprocessed& network) {
    check::for_each_scalar([&]<class S>() {
      check::rows_alone<S>(network);
      check::tile_again<S>(network);
      check::any_address<S>(network, 17);
    });
  });
}

TEST(theta_changed, "After theta has changed in place, a tile that was told is a new one.") {
  check::for_each_scalar([]<class S>() {
    for_each_network([](const Preprocessed& network) {
      const Index rows = 9;
      Array<S> theta = check::parameters<S>(network);
      const auto x = check::normals<S>(rows * network.input_size(), 2);
      const auto u = check::normals<S>(rows * network.output_size(), 4);
      PreprocessedTile<S> tile(network, theta.data());
      Array<S> gradient = Array<S>::zeros(theta.size());
      tile.forward(x.data(), rows);
      tile.backward(u.data(), gradient.data());
      for (S& each : theta) each = S{2} - each;
      tile.theta_changed();
      gradient.fill(S{0});
      const S* z = tile.forward(x.data(), rows);
      CHECK_SAME((Array<S>(z, u.size())), check::forward(network, theta, x));
      tile.backward(u.data(), gradient.data());
      CHECK_SAME(gradient, check::backward(network, theta, x, u));
    });
  });
}

TEST(nan, "A NaN in a sample comes out in all of its outputs, and in no other sample.") {
  check::for_each_scalar([]<class S>() {
    const Preprocessed network(Mlp({10, 6, 2}, Activation::tanh), polynomial(3), normalization(3));
    check::nan_in_nan_out<S>(network, 17, 2);
  });
}

TEST(one_hot, "Over one-hot features a linear network is a table: theta's row of the state.") {
  check::for_each_scalar([]<class S>() {
    const Preprocessed network(Mlp({4, 3}, Activation::tanh),
                               std::make_shared<FeatureMap<OneHot>>(OneHot(4)));
    Array<S> theta = check::parameters<S>(network);
    theta.fill(12, 3, S{0});  // the biases
    const Array<S> states{S{2}, S{0}, S{3}};
    const Array<S> z = check::forward(network, theta, states);
    for (Index r = 0; r < 3; ++r) {
      CHECK_SAME(z.segment(3 * r, 3), theta.segment(3 * static_cast<Index>(states[r]), 3));
    }
  });
}

}  // namespace
}  // namespace pgfast
