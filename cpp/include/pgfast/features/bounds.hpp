// The box [low, high] of an observation, and its place in it: u_d = (x_d - low_d) / (high_d -
// low_d) is 0 at the lower bound and 1 at the upper one, and not cut off outside.
#pragma once

#include <vector>

#include "pgfast/arrays.hpp"

namespace pgfast {

class Bounds {
 public:
  Bounds(std::vector<double> low, const std::vector<double>& high) : low_(std::move(low)) {
    for (std::size_t d = 0; d < low_.size(); ++d) inverse_.push_back(1 / (high[d] - low_[d]));
  }
  Index size() const { return static_cast<Index>(low_.size()); }

  // u_d of one observation's part x_d
  template <class S>
  S place(Index d, S x) const {
    const auto i = static_cast<std::size_t>(d);
    return (x - static_cast<S>(low_[i])) * static_cast<S>(inverse_[i]);
  }

 private:
  std::vector<double> low_, inverse_;
};

}  // namespace pgfast
