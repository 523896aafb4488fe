// Polynomials: all monomials of x_0 .. x_{D-1} up to a total degree n, (D + n)! / (D! n!) of them.
//
// Their order is by degree, and within a degree by the variables in ascending order: 1, x0, x1,
// x0^2, x0 x1, x1^2, ... The monomials of degree k that begin with x_d are x_d times those of
// degree k - 1 that begin with x_d or a later variable. So each one is a variable times a monomial
// before it, and a table tells which.
#pragma once

#include <vector>

#include "pgfast/arrays.hpp"

namespace pgfast {

class Polynomial {
 public:
  Polynomial(Index inputs, Index degree) : inputs_(inputs) {
    std::vector<Index> first_variable{0};  // of each monomial
    std::size_t begin = 0;                 // of the degree before
    for (Index k = 1; k <= degree; ++k) {
      const std::size_t end = first_variable.size();
      for (Index d = 0; d < inputs; ++d) {
        for (std::size_t i = begin; i < end; ++i) {
          if (k > 1 && first_variable[i] < d) continue;
          first_variable.push_back(d);
          products_.push_back({d, static_cast<Index>(i)});
        }
      }
      begin = end;
    }
  }
  Index input_size() const { return inputs_; }
  Index output_size() const { return static_cast<Index>(products_.size()) + 1; }

  template <class S>
  void apply(const S* x, Index rows, S* phi) const {
    const Index J = output_size();
    const Product* products = products_.data();
    for (Index r = 0; r < rows; ++r, x += inputs_, phi += J) {
      phi[0] = S{1};
      for (Index j = 1; j < J; ++j) {
        phi[j] = x[products[j - 1].variable] * phi[products[j - 1].monomial];
      }
    }
  }

 private:
  struct Product {
    Index variable, monomial;
  };
  Index inputs_;
  std::vector<Product> products_;  // of the monomials behind the first
};

}  // namespace pgfast
