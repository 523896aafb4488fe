// Polynomials: all monomials of x_0 .. x_{D-1} up to a total degree n, (D + n)! / (D! n!) of them.
//
// Their order is by degree, and within a degree by the variables in ascending order: 1, x0, x1,
// x0^2, x0 x1, x1^2, ... The monomials of degree k that begin with x_d are x_d times those of
// degree k - 1 that begin with x_d or a later variable. In this order those are the end of the
// block of degree k - 1, so each block is D products of a number and a contiguous piece of the
// block before it.
#pragma once

#include <vector>

#include "pgfast/arrays.hpp"

namespace pgfast {

class Polynomial {
 public:
  Polynomial(Index inputs, Index degree) : inputs_(inputs), degree_(degree) {
    // lengths_[k D + d]: how many monomials of degree k begin with x_d or a later variable
    lengths_.assign(static_cast<std::size_t>((degree + 1) * inputs), 1);  // degree 0: the 1 alone
    for (Index k = 1; k <= degree; ++k) {
      Index sum = 0;
      for (Index d = inputs - 1; d >= 0; --d) length(k, d) = sum += length(k - 1, d);
    }
    for (Index k = 0; k <= degree; ++k) outputs_ += length(k, 0);
  }
  Index input_size() const { return inputs_; }
  Index output_size() const { return outputs_; }

  template <class S>
  void apply(const S* x, Index rows, S* phi) const {
    for (Index r = 0; r < rows; ++r, x += inputs_, phi += outputs_) {
      phi[0] = S{1};
      S* out = phi + 1;
      for (Index k = 1; k <= degree_; ++k) {
        const S* end = out;  // of the block before
        for (Index d = 0; d < inputs_; ++d) {
          const Index count = lengths_[at(k - 1, d)];
          const S* factors = end - count;
          for (Index i = 0; i < count; ++i) out[i] = x[d] * factors[i];
          out += count;
        }
      }
    }
  }

 private:
  std::size_t at(Index k, Index d) const { return static_cast<std::size_t>(k * inputs_ + d); }
  Index& length(Index k, Index d) { return lengths_[at(k, d)]; }

  Index inputs_, degree_, outputs_ = 0;
  std::vector<Index> lengths_;
};

}  // namespace pgfast
