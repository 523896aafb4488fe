// An affine layer y = x W + b on a tile of rows. Its parameters stand in one run of memory:
// W (inputs, outputs) row-major, then b (outputs).
#pragma once

#include "pgfast/networks/product.hpp"

namespace pgfast {

struct Linear {
  Index inputs, outputs;

  Index num_parameters() const { return (inputs + 1) * outputs; }

  template <class S>
  void forward(const S* parameters, const S* x, Index rows, S* y) const {
    product<S>({x, inputs, 1}, parameters, {parameters + inputs * outputs, 0}, y, rows, outputs,
               inputs);
  }

  // gradient += J'dy:  dW += x'dy,  db += sum over rows of dy
  template <class S>
  void backward(const S* x, Index rows, const S* dy, S* gradient) const {
    product<S>({x, 1, inputs}, dy, {gradient, outputs}, gradient, inputs, outputs, rows);
    S* db = gradient + inputs * outputs;
    for (Index r = 0; r < rows; ++r) {
      for (Index o = 0; o < outputs; ++o) db[o] += dy[r * outputs + o];
    }
  }

  // dx = dy W', given W' (outputs, inputs)
  template <class S>
  void backward_input(const S* transposed, Index rows, const S* dy, S* dx) const {
    product<S>({dy, outputs, 1}, transposed, {}, dx, rows, inputs, outputs);
  }

  template <class S>
  void transpose(const S* parameters, S* transposed) const {
    for (Index i = 0; i < inputs; ++i) {
      for (Index o = 0; o < outputs; ++o) transposed[o * inputs + i] = parameters[i * outputs + o];
    }
  }

  // The change of y when the parameters move along `direction` and x along dx (null: x fixed):
  // dy = x dW + db + dx W
  template <class S>
  void jvp(const S* parameters, const S* direction, const S* x, const S* dx, Index rows,
           S* dy) const {
    forward(direction, x, rows, dy);
    if (dx) product<S>({dx, inputs, 1}, parameters, {dy, outputs}, dy, rows, outputs, inputs);
  }
};

}  // namespace pgfast
