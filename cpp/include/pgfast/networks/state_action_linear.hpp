// The textbook's linear network over state-action features: a sample is x (A, J), one row of J
// features per action, and z_a = theta'x_a. There is no bias: theta is (J).
#pragma once

#include "pgfast/arrays.hpp"

namespace pgfast {

template <class S>
class StateActionLinearTile;

class StateActionLinear {
 public:
  template <class S>
  using Tile = StateActionLinearTile<S>;

  StateActionLinear(Index actions, Index features) : actions_(actions), features_(features) {}
  Index input_size() const { return actions_ * features_; }
  Index output_size() const { return actions_; }
  Index num_parameters() const { return features_; }
  // As Mlp's; its rows are long, and come from memory.
  double sample_ns(Index passes) const {
    return 5 + 0.03 * static_cast<double>(passes * input_size());
  }

 private:
  Index actions_, features_;
};

// Same face as MlpTile. The rows of x are already (rows * A, J) row-major, so forward and jvp are
// one inner product per row, in lanes of 16 partial sums, and backward adds multiples of rows.
template <class S>
class StateActionLinearTile {
 public:
  StateActionLinearTile(const StateActionLinear& network, const S* theta)
      : network_(network),
        theta_(theta),
        z_(Buffer<S>::Zero(padded(tile_rows * network.output_size()))) {}

  void prepare(const S* x, Index rows) {
    x_ = x;
    rows_ = rows;
  }

  const S* forward(const S* x, Index rows) {
    prepare(x, rows);
    inner_products(theta_, z_.data());
    return z_.data();
  }

  void theta_changed() {}  // nothing is made of theta beforehand

  void backward(const S* dz, S* gradient) {
    const Index J = network_.num_parameters();
    for (Index i = 0; i < rows_ * network_.output_size(); ++i) {
      const S* x = x_ + i * J;
      for (Index j = 0; j < J; ++j) gradient[j] += dz[i] * x[j];
    }
  }

  void set_direction(const S* v) { direction_ = v; }
  void jvp(S* dz) { inner_products(direction_, dz); }

 private:
  void inner_products(const S* v, S* out) const {
    constexpr Index width = 16;
    using Partial = Lanes<S, width>;
    const Index J = network_.num_parameters();
    for (Index i = 0; i < rows_ * network_.output_size(); ++i) {
      const S* x = x_ + i * J;
      Partial sums = Partial::Zero();
      Index j = 0;
      for (; j + width <= J; j += width) {
        sums += Eigen::Map<const Partial>(x + j) * Eigen::Map<const Partial>(v + j);
      }
      S rest{0};
      for (; j < J; ++j) rest += x[j] * v[j];
      out[i] = sums.sum() + rest;
    }
  }

  const StateActionLinear& network_;
  const S* theta_;
  const S* direction_ = nullptr;
  const S* x_ = nullptr;
  Index rows_ = 0;
  Buffer<S> z_;
};

}  // namespace pgfast
