// Features phi(x) (J) of an observation x (D): what a linear policy or value function sees instead
// of the observation. They are fixed, so nothing is differentiated through them.
//
// A map is a class with `input_size()`, `output_size()` and one template `apply`, in features/.
// What holds one without knowing which (a policy, a rollout) holds it as `Features`: one virtual
// call for a tile of samples.
//
// Memory: a map writes to the tile that it is given and allocates nothing. A row's features are a
// function of that row alone.
#pragma once

#include <algorithm>
#include <utility>

#include "pgfast/parallel.hpp"

namespace pgfast {

class Features {
 public:
  virtual ~Features() = default;
  virtual Index input_size() const = 0;   // D
  virtual Index output_size() const = 0;  // J
  // Nanoseconds of one row.
  double row_ns() const { return 2 + 0.4 * static_cast<double>(output_size()); }

  // phi (rows, J) of x (rows, D), rows <= tile_rows. phi is a Buffer's memory: aligned, with room
  // for a whole number of chunks (`feature_room`).
  virtual void apply(const float* x, Index rows, float* phi) const = 0;
  virtual void apply(const double* x, Index rows, double* phi) const = 0;
};

// How many numbers a tile of features takes.
inline Index feature_room(const Features& features) {
  return padded(tile_rows * features.output_size());
}

// A map as `Features`.
template <class Map>
class FeatureMap final : public Features {
 public:
  explicit FeatureMap(Map map) : map_(std::move(map)) {}
  Index input_size() const override { return map_.input_size(); }
  Index output_size() const override { return map_.output_size(); }
  void apply(const float* x, Index rows, float* phi) const override { map_.apply(x, rows, phi); }
  void apply(const double* x, Index rows, double* phi) const override { map_.apply(x, rows, phi); }

 private:
  Map map_;
};

// phi (batch, J) of x (batch, D), in whole tiles and a rest; any memory.
template <class S>
void apply_features(const Features& features, const S* x, Index batch, S* phi) {
  const Index D = features.input_size(), J = features.output_size();
  for_each_block(batch, features.row_ns(), [&](Index begin, Index end) {
    Buffer<S> tile(feature_room(features));
    for (Index first = begin; first < end; first += tile_rows) {
      const Index rows = std::min(tile_rows, end - first);
      features.apply(x + first * D, rows, tile.data());
      std::copy_n(tile.data(), rows * J, phi + first * J);
    }
  });
}

}  // namespace pgfast
