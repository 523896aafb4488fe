// Radial basis functions: phi_j = exp(-|u - c_j|^2 / (2 w^2)), u the place in [low, high], so that
// centres and width w are in units of the box and every dimension counts alike.
//
// The centres lie as (D, J), so that each dimension is one pass over contiguous features; then one
// vector exponential over the tile.
#pragma once

#include <vector>

#include "pgfast/exponential.hpp"
#include "pgfast/features/bounds.hpp"

namespace pgfast {

class RadialBasis {
 public:
  // centres: (J, D) row-major
  RadialBasis(Bounds bounds, const double* centres, Index outputs, double width)
      : bounds_(std::move(bounds)), outputs_(outputs), scale_(-0.5 / (width * width)) {
    const Index D = bounds_.size();
    for (Index d = 0; d < D; ++d) {
      for (Index j = 0; j < outputs; ++j) centres_.push_back(centres[j * D + d]);
    }
    narrow_centres_.assign(centres_.begin(), centres_.end());
  }
  Index input_size() const { return bounds_.size(); }
  Index output_size() const { return outputs_; }

  template <class S>
  void apply(const S* x, Index rows, S* phi) const {
    const Index D = bounds_.size();
    for (Index r = 0; r < rows; ++r) {
      S* squares = phi + r * outputs_;
      std::fill_n(squares, outputs_, S{0});
      for (Index d = 0; d < D; ++d) {
        const S u = bounds_.place(d, x[r * D + d]);
        const S* c = centres<S>() + d * outputs_;
        for (Index j = 0; j < outputs_; ++j) squares[j] += (u - c[j]) * (u - c[j]);
      }
    }
    const S scale = static_cast<S>(scale_);
    transform_chunks(phi, rows * outputs_, [scale](const auto& squares) {
      return exp_nonpositive(Lanes<S, chunk>(scale * squares));
    });
  }

 private:
  template <class S>
  const S* centres() const {
    if constexpr (std::is_same_v<S, float>) {
      return narrow_centres_.data();
    } else {
      return centres_.data();
    }
  }

  Bounds bounds_;
  Index outputs_;
  double scale_;
  std::vector<double> centres_;
  std::vector<float> narrow_centres_;
};

}  // namespace pgfast
