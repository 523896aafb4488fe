#include "networks.hpp"
#include "pgfast/networks/state_action_linear.hpp"

namespace pgfast {
namespace {

using check::Array;

template <class F>
void for_each_network(F&& f) {
  for (const Index actions : {1, 2, 5, 33}) {
    for (const Index features : {1, 3, 5, 15, 16, 17, 33}) {
      CONTEXT(actions << " actions, " << features << " features");
      f(StateActionLinear(actions, features));
    }
  }
}

TEST(inner_products,
     "z_a is theta'x_a: one parameter per feature, shared by all actions, no bias.") {
  for_each_network([](const StateActionLinear& network) {
    const Index J = network.num_parameters(), rows = 3;
    CHECK_EQ(network.input_size(), network.output_size() * J);
    const Array<double> theta = check::parameters<double>(network);
    const auto x = check::normals<double>(rows * network.input_size(), 2);
    const auto z = check::forward(network, theta, x);
    for (Index i = 0; i < z.size(); ++i) {
      CHECK_NEAR(z[i], (theta * x.segment(i * J, J)).sum(), 1e-13);
    }
  });
}

TEST(calculus, "backward and jvp are the derivatives of forward, adjoint and linear.") {
  for_each_network([](const StateActionLinear& network) {
    for (const Index rows : {1, 3, 32}) check::network(network, rows);
  });
}

TEST(rows, "A row has the same bits alone, in a tile and wherever it stands in the tile.") {
  for_each_network([](const StateActionLinear& network) {
    check::for_each_scalar([&]<class S>() {
      check::rows_alone<S>(network);
      check::tile_again<S>(network);
    });
  });
}

TEST(addresses, "Wherever theta and the samples lie in memory, the bits are the same.") {
  for_each_network([](const StateActionLinear& network) {
    check::for_each_scalar([&]<class S>() { check::any_address<S>(network, 7); });
  });
}

TEST(nan, "A NaN in one action's features comes out in that action's logit alone.") {
  check::for_each_scalar(
      []<class S>() { check::nan_in_nan_out<S>(StateActionLinear(3, 17), 5, 1); });
}

}  // namespace
}  // namespace pgfast
