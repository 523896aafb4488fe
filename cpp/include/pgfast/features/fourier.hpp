// The Fourier basis (Konidaris, Osentoski & Thomas 2011): phi_c = cos(pi c'u) for every c in
// {0 .. n}^D, u the place in [low, high]. In C order of c: the last dimension runs fastest.
//
// The angles are a table of sums that grows by one dimension at a time, from the last to the first:
// the angles of (k, c) are those of c plus k pi u_d. Each step is n + 1 additions of a number to a
// contiguous piece, the first of them (k = 0) already in place. Then one vector cosine over the
// tile.
#pragma once

#include "pgfast/features/bounds.hpp"

namespace pgfast {

class Fourier {
 public:
  Fourier(Bounds bounds, Index order) : bounds_(std::move(bounds)), order_(order) {
    for (Index d = 0; d < bounds_.size(); ++d) outputs_ *= order + 1;
  }
  Index input_size() const { return bounds_.size(); }
  Index output_size() const { return outputs_; }

  template <class S>
  void apply(const S* x, Index rows, S* phi) const {
    const Index D = bounds_.size();
    for (Index r = 0; r < rows; ++r) {
      S* angles = phi + r * outputs_;
      angles[0] = S{0};
      Index count = 1;
      for (Index d = D - 1; d >= 0; --d) {
        const S step = S(3.14159265358979323846) * bounds_.place(d, x[r * D + d]);
        for (Index k = order_; k >= 0; --k) {
          const S angle = static_cast<S>(k) * step;
          for (Index i = 0; i < count; ++i) angles[k * count + i] = angles[i] + angle;
        }
        count *= order_ + 1;
      }
    }
    transform_chunks(phi, rows * outputs_, [](const auto& angle) { return angle.cos().eval(); });
  }

 private:
  Bounds bounds_;
  Index order_, outputs_ = 1;
};

}  // namespace pgfast
