// Tile coding (Sutton & Barto 2018, section 9.5.4): K grids of tiles over [low, high], each
// displaced by another fraction of a tile. Every grid has one feature per tile, which is 1 where
// the observation lies in that tile: K ones among zeros.
//
// Dimension d has m_d tiles of width 1 / m_d. Grid k is displaced by k times the vector (1, 3, 5,
// ...) in units of 1 / K of a tile, cut to less than a whole tile: the asymmetric displacement that
// leaves no artefacts along the diagonal. A displaced grid needs one more tile to cover the box, so
// each grid has prod_d (m_d + 1) tiles. The tile of u in dimension d is
//
//   floor(m_d u_d + (k (2 d + 1) mod K) / K)
//
// Outside the box u counts as the nearest point of the box. NaN has features NaN.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "pgfast/features/bounds.hpp"

namespace pgfast {

class TileCoding {
 public:
  TileCoding(Bounds bounds, std::vector<Index> tiles, Index tilings)
      : bounds_(std::move(bounds)), tiles_(std::move(tiles)), tilings_(tilings) {
    for (const Index m : tiles_) tiles_per_grid_ *= m + 1;
  }
  Index input_size() const { return bounds_.size(); }
  Index output_size() const { return tilings_ * tiles_per_grid_; }

  template <class S>
  void apply(const S* x, Index rows, S* phi) const {
    const Index D = bounds_.size();
    for (Index r = 0; r < rows; ++r, x += D, phi += output_size()) {
      S sum{0};  // NaN where the observation has one
      for (Index d = 0; d < D; ++d) sum += std::isnan(x[d]) ? x[d] : S{0};
      std::fill_n(phi, output_size(), sum);
      if (std::isnan(sum)) continue;
      for (Index k = 0; k < tilings_; ++k) {
        Index tile = 0;
        for (Index d = 0; d < D; ++d) {
          const Index m = tiles_[static_cast<std::size_t>(d)];
          const S u = std::clamp(bounds_.place(d, x[d]), S{0}, S{1});
          const S shift = static_cast<S>((k * (2 * d + 1)) % tilings_) / static_cast<S>(tilings_);
          const S place = static_cast<S>(m) * u + shift;
          tile =
              tile * (m + 1) + std::min(m, static_cast<Index>(place));  // rounding may reach m + 1
        }
        phi[k * tiles_per_grid_ + tile] = S{1};
      }
    }
  }

 private:
  Bounds bounds_;
  std::vector<Index> tiles_;
  Index tilings_, tiles_per_grid_ = 1;
};

}  // namespace pgfast
