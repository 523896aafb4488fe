// The tile of a value function in a minibatch: samples from all over a batch, copied side by side,
// go forward and back while they lie in the first-level cache.
#pragma once

#include "pgfast/arrays.hpp"

namespace pgfast {

// What the value function is fitted to.
template <class S>
struct ValueSamples {
  const S* targets;     // (count) G
  const S* old_values;  // (count); null without clipping
  S clip;               // V is held within old V +- clip, the larger error counts
};

namespace detail {

// dz (rows) = scale * d/dV of the error; returns the sum of errors.
template <class S>
double clipped_value_error(const S* values, const S* targets, const S* old_values, S clip,
                           Index rows, S scale, S* dz) {
  double sum = 0;
  for (Index r = 0; r < rows; ++r) {
    const S error = values[r] - targets[r];
    S half_square = S(0.5) * error * error;
    dz[r] = scale * error;
    if (old_values) {
      const S low = old_values[r] - clip, high = old_values[r] + clip;
      const S held = values[r] < low ? low : values[r] > high ? high : values[r];
      const S other = held - targets[r];
      if (S(0.5) * other * other > half_square) {
        half_square = S(0.5) * other * other;
        dz[r] = held == values[r] ? scale * other : S{0};
      }
    }
    sum += static_cast<double>(half_square);
  }
  return sum;
}

template <class S, class V>
class GatheredValueTile {
 public:
  GatheredValueTile(const V& value, const S* phi, const S* observations,
                    const ValueSamples<S>& from)
      : tile_(value, phi),
        from_observations_(observations),
        from_(from),
        D_(value.input_size()),
        observations_(tile_rows * D_) {}

  void theta_changed() { tile_.theta_changed(); }

  // gradient += scale sum_b d/dphi of the error; gives the sum of errors.
  double add(const Index* order, Index rows, S scale, S* gradient) {
    gather(from_observations_, order, rows, D_, observations_.data());
    gather(from_.targets, order, rows, Index{1}, targets_);
    gather(from_.old_values, order, rows, Index{1}, old_values_);
    const S* values = tile_.forward(observations_.data(), rows);
    S dz[tile_rows];
    const double error = clipped_value_error(
        values, targets_, from_.old_values ? old_values_ : nullptr, from_.clip, rows, scale, dz);
    tile_.backward(dz, gradient);
    return error;
  }

 private:
  typename V::template Tile<S> tile_;
  const S* from_observations_;
  const ValueSamples<S>& from_;
  Index D_;
  Buffer<S> observations_;
  S targets_[tile_rows], old_values_[tile_rows];
};

}  // namespace detail

}  // namespace pgfast
