// What every network must satisfy, whatever it computes. A network's tile has forward, backward
// (J'u) and jvp (J v); here they run over batches of any size, and are checked against each other.
#pragma once

#include <limits>
#include <numeric>

#include "check.hpp"

namespace check {

using pgfast::tile_rows;

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());

template <class S, class Network>
Array<S> forward(const Network& network, const Array<S>& theta, const Array<S>& x) {
  const Index rows = x.size() / network.input_size();
  typename Network::template Tile<S> tile(network, theta.data());
  const S* z = tile.forward(x.data(), rows);
  return Array<S>(z, rows * network.output_size());
}

template <class S, class Network>
Array<S> backward(const Network& network, const Array<S>& theta, const Array<S>& x,
                  const Array<S>& dz) {
  typename Network::template Tile<S> tile(network, theta.data());
  Array<S> gradient = Array<S>::zeros(network.num_parameters());
  tile.forward(x.data(), x.size() / network.input_size());
  tile.backward(dz.data(), gradient.data());
  return gradient;
}

template <class S, class Network>
Array<S> jvp(const Network& network, const Array<S>& theta, const Array<S>& x, const Array<S>& v) {
  const Index rows = x.size() / network.input_size();
  typename Network::template Tile<S> tile(network, theta.data());
  Array<S> dz(rows * network.output_size());
  tile.forward(x.data(), rows);
  tile.set_direction(v.data());
  tile.jvp(dz.data());
  return dz;
}

// theta scaled so that activations neither vanish nor saturate.
template <class S, class Network>
Array<S> parameters(const Network& network) {
  return normals<S>(network.num_parameters(), 1, 0.5);
}

// J v and J'u are central differences of forward, in double: h^2 of truncation and eps / h of
// rounding are both about 1e-10 of the function's size.
template <class Network>
void derivatives(const Network& network, Index rows) {
  const Array<double> theta = parameters<double>(network);
  const auto x = normals<double>(rows * network.input_size(), 2);
  const auto v = normals<double>(theta.size(), 3);
  const auto u = normals<double>(rows * network.output_size(), 4);
  const double h = 1e-5;
  const auto difference = [&](const Array<double>& along) -> Array<double> {
    return (forward<double>(network, theta + h * along, x) -
            forward<double>(network, theta - h * along, x)) /
           (2 * h);
  };

  const Array<double> Jv = jvp(network, theta, x, v), expected = difference(v);
  for (Index i = 0; i < Jv.size(); ++i) {
    CHECK_NEAR(Jv[i], expected[i], 1e-7 * (1 + expected.abs().max()));
  }
  const Array<double> Ju = backward(network, theta, x, u);
  for (Index p = 0; p < theta.size(); p += 1 + theta.size() / 50) {
    Array<double> unit = Array<double>::zeros(theta.size());
    unit[p] = 1;
    CHECK_NEAR(Ju[p], (u * difference(unit)).sum(), 1e-7 * (1 + Ju.abs().max()));
  }
}

// <J v, u> = <v, J'u>
template <class S, class Network>
void adjoint(const Network& network, Index rows) {
  const Array<S> theta = parameters<S>(network);
  const auto x = normals<S>(rows * network.input_size(), 2);
  const auto v = normals<S>(theta.size(), 3);
  const auto u = normals<S>(rows * network.output_size(), 4);
  const Array<double> Jv = jvp(network, theta, x, v).template cast<double>();
  const Array<double> Ju = backward(network, theta, x, u).template cast<double>();
  const Array<double> left = Jv * u.template cast<double>();
  const Array<double> right = Ju * v.template cast<double>();
  CHECK_NEAR(left.sum(), right.sum(), 8 * epsilon<S> * (left.abs().sum() + right.abs().sum()));
}

// Scaling v or u by a power of two scales J v or J'u, and J'u is added to what is there.
template <class S, class Network>
void linear_maps(const Network& network, Index rows) {
  const Array<S> theta = parameters<S>(network);
  const auto x = normals<S>(rows * network.input_size(), 2);
  const auto v = normals<S>(theta.size(), 3);
  const auto u = normals<S>(rows * network.output_size(), 4);
  CHECK_SAME(jvp<S>(network, theta, x, S{4} * v), (S{4} * jvp(network, theta, x, v)));
  CHECK_SAME(backward<S>(network, theta, x, S{4} * u), (S{4} * backward(network, theta, x, u)));

  const Array<S> start = (integers(theta.size(), 9, 5) - 4).template cast<S>();
  Array<S> gradient = start;
  typename Network::template Tile<S> tile(network, theta.data());
  tile.forward(x.data(), rows);
  tile.backward(u.data(), gradient.data());
  const Array<S> added = backward(network, theta, x, u);
  for (Index p = 0; p < theta.size(); ++p) {
    CHECK_NEAR(
        gradient[p], start[p] + added[p],
        4 * static_cast<double>(rows) * epsilon<S> * (8 + std::abs(static_cast<double>(added[p]))));
  }
}

// float's derivatives are double's, up to float's rounding.
template <class Network>
void float_as_double(const Network& network, Index rows) {
  const Array<float> theta = parameters<float>(network);
  const auto x = normals<float>(rows * network.input_size(), 2);
  const auto v = normals<float>(theta.size(), 3);
  const auto u = normals<float>(rows * network.output_size(), 4);
  const auto as_double = [](const Array<float>& a) { return a.cast<double>(); };
  const Array<double> theta64 = as_double(theta), x64 = as_double(x);
  const auto close = [](const Array<float>& a, const Array<double>& b) {
    const double scale = 1 + b.abs().max();
    for (Index i = 0; i < a.size(); ++i) CHECK_NEAR(a[i], b[i], 100 * epsilon<float> * scale);
  };
  close(forward(network, theta, x), forward(network, theta64, x64));
  close(jvp(network, theta, x, v), jvp(network, theta64, x64, as_double(v)));
  close(backward(network, theta, x, u), backward(network, theta64, x64, as_double(u)));
}

// Each row's z and J v have the same bits alone, in a full tile, and wherever in the tile it
// stands.
template <class S, class Network>
void rows_alone(const Network& network) {
  const Index D = network.input_size(), A = network.output_size();
  const Array<S> theta = parameters<S>(network);
  const auto x = normals<S>(tile_rows * D, 2);
  const auto v = normals<S>(theta.size(), 3);
  const Array<S> z = forward(network, theta, x), Jv = jvp(network, theta, x, v);

  for (const Index rows : {1, 3, 5, 17, 31}) {
    for (Index shift = 0; shift < tile_rows; shift += 5) {
      CONTEXT(rows << " rows from row " << shift);
      std::vector<Index> row(static_cast<std::size_t>(rows));
      for (Index r = 0; r < rows; ++r)
        row[static_cast<std::size_t>(r)] = (shift + 3 * r) % tile_rows;
      Array<S> some_x(rows * D), some_z(rows * A), some_Jv(rows * A);
      for (Index r = 0; r < rows; ++r) {
        const Index from = row[static_cast<std::size_t>(r)];
        some_x.set(r * D, x.segment(from * D, D));
        some_z.set(r * A, z.segment(from * A, A));
        some_Jv.set(r * A, Jv.segment(from * A, A));
      }
      CHECK_SAME(forward(network, theta, some_x), some_z);
      CHECK_SAME(jvp(network, theta, some_x, v), some_Jv);
    }
  }
}

// A tile may be used again and again: an earlier forward leaves no trace in a later one.
template <class S, class Network>
void tile_again(const Network& network) {
  const Index D = network.input_size(), A = network.output_size();
  const Array<S> theta = parameters<S>(network);
  const auto v = normals<S>(theta.size(), 3);
  typename Network::template Tile<S> tile(network, theta.data());
  for (const Index rows : {32, 3, 17, 1, 32}) {
    const auto x = normals<S>(rows * D, static_cast<std::uint64_t>(rows) + 10);
    const auto u = normals<S>(rows * A, static_cast<std::uint64_t>(rows) + 20);
    const S* z = tile.forward(x.data(), rows);
    CHECK_SAME((Array<S>(z, rows * A)), forward(network, theta, x));
    Array<S> Jv(rows * A), Ju = Array<S>::zeros(theta.size());
    tile.set_direction(v.data());
    tile.jvp(Jv.data());
    tile.backward(u.data(), Ju.data());
    CHECK_SAME(Jv, jvp(network, theta, x, v));
    CHECK_SAME(Ju, backward(network, theta, x, u));
  }
}

template <class S, class Network>
void any_address(const Network& network, Index rows) {
  const Array<S> theta = parameters<S>(network);
  const auto x = normals<S>(rows * network.input_size(), 2);
  const auto v = normals<S>(theta.size(), 3);
  const auto u = normals<S>(rows * network.output_size(), 4);
  const Array<S> z = forward(network, theta, x), Jv = jvp(network, theta, x, v),
                 Ju = backward(network, theta, x, u);
  for (Index shift = 1; shift < 16; shift += 2) {
    CONTEXT("shift " << shift);
    Shifted<S> theta_at(theta, shift), x_at(x, 16 - shift), v_at(v, shift), u_at(u, shift),
        dz(Array<S>::zeros(u.size()), shift), gradient(Array<S>::zeros(theta.size()), 16 - shift);
    typename Network::template Tile<S> tile(network, theta_at.data());
    CHECK_SAME((Array<S>(tile.forward(x_at.data(), rows), z.size())), z);
    tile.set_direction(v_at.data());
    tile.jvp(dz.data());
    tile.backward(u_at.data(), gradient.data());
    CHECK_SAME(dz.values(), Jv);
    CHECK_SAME(gradient.values(), Ju);
  }
}

// A NaN anywhere in a row's input comes out in all of that row's outputs, and in no other row.
template <class S, class Network>
void nan_in_nan_out(const Network& network, Index rows, Index outputs_per_input) {
  const Index D = network.input_size(), A = network.output_size();
  const Array<S> theta = parameters<S>(network);
  for (const Index row : {Index{0}, rows / 2, rows - 1}) {
    for (Index d = 0; d < D; ++d) {
      auto x = normals<S>(rows * D, 2);
      x[row * D + d] = std::numeric_limits<S>::quiet_NaN();
      const Array<S> z = forward(network, theta, x);
      for (Index i = 0; i < z.size(); ++i) {
        const bool reached = i / A == row && (outputs_per_input == A || i % A == d * A / D);
        CHECK_EQ(std::isnan(z[i]), reached);
      }
    }
  }
}

template <class Network>
void network(const Network& network, Index rows) {
  CONTEXT(network.input_size() << " inputs, " << network.output_size() << " outputs, "
                               << network.num_parameters() << " parameters, " << rows << " rows");
  derivatives(network, rows);
  float_as_double(network, rows);
  for_each_scalar([&]<class S>() {
    adjoint<S>(network, rows);
    linear_maps<S>(network, rows);
  });
}

}  // namespace check
