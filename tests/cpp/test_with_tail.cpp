#include "networks.hpp"
#include "pgfast/features/polynomial.hpp"
#include "pgfast/networks/with_tail.hpp"

namespace pgfast {
namespace {

using check::Array;

Preprocessed body() {
  Normalization n{Buffer<double>::Constant(3, 0.5), Buffer<double>::Constant(3, 0.4), 2.0};
  return Preprocessed(Mlp({10, 6, 2}, Activation::tanh),
                      std::make_shared<FeatureMap<Polynomial>>(Polynomial(3, 2)),
                      std::make_shared<const Normalization>(n));
}

template <class F>
void for_each_network(F&& f) {
  for (const Index tail : {0, 1, 5}) {
    CONTEXT("a tail of " << tail);
    f(WithTail(body(), tail));
    f(WithTail(Preprocessed(Mlp({4, 3}, Activation::tanh)), tail));
  }
}

TEST(sizes, "The tail counts among outputs and parameters, not among inputs.") {
  const WithTail network(body(), 4);
  CHECK_EQ(network.input_size(), 3);
  CHECK_EQ(network.output_size(), 6);
  CHECK_EQ(network.num_parameters(), 11 * 6 + 7 * 2 + 4);
}

TEST(forward, "In each row the body's outputs come first, then the last of theta as they are.") {
  check::for_each_scalar([]<class S>() {
    for_each_network([](const WithTail& network) {
      const Index rows = 19, Z = network.output_size(), tail = network.tail();
      const Array<S> theta = check::parameters<S>(network);
      const auto x = check::normals<S>(rows * network.input_size(), 2);
      const Array<S> z = check::forward(network, theta, x);
      const Array<S> y = check::forward(network.body(), theta, x);
      for (Index r = 0; r < rows; ++r) {
        CHECK_SAME(z.segment(r * Z, Z - tail), y.segment(r * (Z - tail), Z - tail));
        CHECK_SAME(z.segment((r + 1) * Z - tail, tail), theta.tail(tail));
      }
    });
  });
}

TEST(calculus, "backward and jvp are the derivatives of forward, adjoint and linear.") {
  for_each_network([](const WithTail& network) {
    for (const Index rows : {1, 3, 32}) check::network(network, rows);
  });
}

TEST(rows, "A row has the same bits alone, in a tile and wherever it stands in the tile.") {
  for_each_network([](const WithTail& network) {
    check::for_each_scalar([&]<class S>() {
      check::rows_alone<S>(network);
      check::tile_again<S>(network);
      check::any_address<S>(network, 17);
    });
  });
}

TEST(theta_changed, "After theta has changed in place, a tile that was told is a new one.") {
  check::for_each_scalar([]<class S>() {
    for_each_network([](const WithTail& network) {
      const Index rows = 9;
      Array<S> theta = check::parameters<S>(network);
      const auto x = check::normals<S>(rows * network.input_size(), 2);
      const auto u = check::normals<S>(rows * network.output_size(), 4);
      WithTailTile<S> tile(network, theta.data());
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

}  // namespace
}  // namespace pgfast
