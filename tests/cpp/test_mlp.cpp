#include "networks.hpp"
#include "pgfast/networks/mlp.hpp"

namespace pgfast {
namespace {

using check::Array;

const std::vector<std::vector<Index>> shapes = {{3, 2},         {1, 1, 1},    {5, 17, 3},
                                                {4, 33, 17, 5}, {3, 1, 1, 2}, {17, 64, 64, 1}};

template <class F>
void for_each_network(F&& f) {
  for (const Activation activation : {Activation::tanh, Activation::relu}) {
    for (const auto& sizes : shapes) {
      CONTEXT((activation == Activation::tanh ? "tanh, " : "relu, ")
              << sizes.size() - 1 << " layers from " << sizes[0] << " to " << sizes.back());
      f(Mlp(sizes, activation));
    }
  }
}

TEST(layout, "theta holds each layer's W and b in order.") {
  const Mlp mlp({4, 33, 17, 5}, Activation::tanh);
  CHECK_EQ(mlp.input_size(), 4);
  CHECK_EQ(mlp.output_size(), 5);
  CHECK_EQ(mlp.num_parameters(), 5 * 33 + 34 * 17 + 18 * 5);
  CHECK_EQ(mlp.offset(0), 0);
  CHECK_EQ(mlp.offset(1), 5 * 33);
  CHECK_EQ(mlp.offset(2), 5 * 33 + 34 * 17);
}

TEST(forward_by_hand,
     "The network is affine layers with the activation between them, none at the end.") {
  for_each_network([](const Mlp& mlp) {
    const Index rows = 5;
    const Array<double> theta = check::parameters<double>(mlp);
    const auto x = check::normals<double>(rows * mlp.input_size(), 2);
    const auto z = check::forward(mlp, theta, x);
    for (Index r = 0; r < rows; ++r) {
      Array<double> h = x.segment(r * mlp.input_size(), mlp.input_size());
      Index at = 0;
      for (std::size_t l = 0; l < mlp.layers().size(); ++l) {
        const auto [inputs, outputs] = mlp.layers()[l];
        Array<double> y = theta.segment(at + inputs * outputs, outputs);
        for (Index i = 0; i < inputs; ++i) {
          for (Index o = 0; o < outputs; ++o) y[o] += h[i] * theta[at + i * outputs + o];
        }
        at += (inputs + 1) * outputs;
        if (l + 1 < mlp.layers().size()) {
          for (double& each : y) {
            each = mlp.activation() == Activation::tanh ? std::tanh(each) : std::max(each, 0.0);
          }
        }
        h = y;
      }
      for (Index a = 0; a < h.size(); ++a) CHECK_NEAR(z[r * h.size() + a], h[a], 1e-13);
    }
  });
}

TEST(calculus, "backward and jvp are the derivatives of forward, adjoint and linear.") {
  for_each_network([](const Mlp& mlp) {
    for (const Index rows : {1, 3, 32}) check::network(mlp, rows);
  });
}

TEST(rows, "A row has the same bits alone, in a tile and wherever it stands in the tile.") {
  for_each_network([](const Mlp& mlp) {
    check::for_each_scalar([&]<class S>() {
      check::rows_alone<S>(mlp);
      check::tile_again<S>(mlp);
    });
  });
}

TEST(addresses, "Wherever theta and the samples lie in memory, the bits are the same.") {
  for_each_network([](const Mlp& mlp) {
    check::for_each_scalar([&]<class S>() { check::any_address<S>(mlp, 17); });
  });
}

TEST(nan, "A NaN in a sample comes out in all of its outputs, and in no other sample.") {
  check::for_each_scalar([]<class S>() {
    for (const Activation activation : {Activation::tanh, Activation::relu}) {
      const Mlp mlp({5, 17, 17, 3}, activation);
      check::nan_in_nan_out<S>(mlp, 17, 3);
    }
  });
}

// The activation alone: 1 -> 1 -> 1 with weights 1 and no biases.
template <class S>
Array<S> activation_of(Activation activation, const Array<S>& x) {
  const Mlp mlp({1, 1, 1}, activation);
  const Array<S> theta{S{1}, S{0}, S{1}, S{0}};
  Array<S> h(x.size());
  for (Index i = 0; i < x.size(); i += tile_rows) {
    const Index rows = std::min(tile_rows, x.size() - i);
    h.set(i, check::forward<S>(mlp, theta, x.segment(i, rows)));
  }
  return h;
}

TEST(infinite,
     "tanh of infinities and of huge numbers is 1 and -1 exactly; relu of them is as written.") {
  check::for_each_scalar([]<class S>() {
    const S inf = std::numeric_limits<S>::infinity(), max = std::numeric_limits<S>::max();
    const Array<S> x{inf, -inf, max, -max, S{1000}, S{-1000}, S{20}, S{-20}};
    const Array<S> tanh{S{1}, S{-1}, S{1}, S{-1}, S{1}, S{-1}, S{1}, S{-1}};
    const Array<S> relu{inf, S{0}, max, S{0}, S{1000}, S{0}, S{20}, S{0}};
    CHECK_SAME(activation_of(Activation::tanh, x), tanh);
    CHECK_SAME(activation_of(Activation::relu, x), relu);
  });
}

TEST(tanh, "tanh is tanh to a few roundings, odd, and never beyond 1.") {
  check::for_each_scalar([]<class S>() {
    Array<S> x(20000);
    for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<S>(static_cast<double>(i) * 0.0011);
    const Array<S> h = activation_of(Activation::tanh, x);
    const Array<S> negative = activation_of<S>(Activation::tanh, S{0} - x);
    for (Index i = 0; i < x.size(); ++i) {
      const double expected = std::tanh(static_cast<double>(x[i]));
      CHECK_NEAR(h[i], expected, 8 * check::epsilon<S> * expected);
      CHECK(std::abs(h[i]) <= S{1});
      CHECK_EQ(negative[i], -h[i]);
    }
  });
}

TEST(tanh_small, "tanh of tiny numbers keeps their relative precision.") {
  check::for_each_scalar([]<class S>() {
    Array<S> x(30);
    for (Index i = 0; i < x.size(); ++i) x[i] = std::pow(S{10}, -static_cast<S>(i));
    const Array<S> h = activation_of(Activation::tanh, x);
    for (Index i = 0; i < x.size(); ++i) {
      const double expected = std::tanh(static_cast<double>(x[i]));
      CHECK_NEAR(h[i], expected, 8 * check::epsilon<S> * expected);
    }
  });
}

}  // namespace
}  // namespace pgfast
