// One-hot: phi_j = 1 where x = j, else 0; x is one number. What is no index in [0, n) is no state
// and has features 0; NaN has features NaN.
#pragma once

#include <algorithm>
#include <cmath>

#include "pgfast/arrays.hpp"

namespace pgfast {

class OneHot {
 public:
  explicit OneHot(Index states) : states_(states) {}
  Index input_size() const { return 1; }
  Index output_size() const { return states_; }

  template <class S>
  void apply(const S* x, Index rows, S* phi) const {
    for (Index r = 0; r < rows; ++r, phi += states_) {
      std::fill_n(phi, states_, std::isnan(x[r]) ? x[r] : S{0});
      if (!(x[r] >= S{0} && x[r] < static_cast<S>(states_))) continue;
      const Index j = static_cast<Index>(x[r]);
      // Rounded to float, the number of states may be larger than it is.
      if (j < states_ && static_cast<S>(j) == x[r]) phi[j] = S{1};
    }
  }

 private:
  Index states_;
};

}  // namespace pgfast
