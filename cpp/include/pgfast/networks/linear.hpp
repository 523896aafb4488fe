// An affine layer y = x W + b on a tile of rows. Its parameters stand in one run of memory:
// W (inputs, outputs) row-major, then b (outputs).
#pragma once

#include "pgfast/networks/narrow_product.hpp"

namespace pgfast {

struct Linear {
  Index inputs, outputs;

  Index num_parameters() const { return (inputs + 1) * outputs; }

  // Few outputs of many inputs: forward reads W' (outputs, inputs).
  bool narrow() const { return outputs <= narrow_columns && inputs >= 16; }

  // y = x W + b; W' is read where the layer is narrow.
  template <class S>
  void forward(const S* parameters, const S* transposed, const S* x, Index rows, S* y) const {
    const S* b = parameters + inputs * outputs;
    if (narrow()) {
      narrow_product(x, transposed, b, y, rows, outputs, inputs);
    } else {
      product<S>({x, inputs, 1}, parameters, {b, 0}, y, rows, outputs, inputs);
    }
  }

  // gradient += J'dy:  dW += x'dy,  db += sum over rows of dy. `work` 2 (outputs, inputs) is
  // used where the layer is narrow.
  template <class S>
  void backward(const S* x, Index rows, const S* dy, S* gradient, S* work) const {
    if (narrow()) {
      narrow_gradient(x, dy, gradient, rows, outputs, inputs, work);
    } else {
      product<S>({x, 1, inputs}, dy, {gradient, outputs}, gradient, inputs, outputs, rows);
    }
    const S one{1};
    S* db = gradient + inputs * outputs;
    product<S>({&one, 0, 0}, dy, {db, outputs}, db, 1, outputs, rows);
  }

  // dx = dy W', given W' (outputs, inputs)
  template <class S>
  void backward_input(const S* transposed, Index rows, const S* dy, S* dx) const {
    product<S>({dy, outputs, 1}, transposed, {}, dx, rows, inputs, outputs);
  }

  // The change of y when the parameters move along `direction` and x along dx (null: x fixed):
  // dy = x dW + db + dx W
  template <class S>
  void jvp(const S* parameters, const S* direction, const S* x, const S* dx, Index rows,
           S* dy) const {
    product<S>({x, inputs, 1}, direction, {direction + inputs * outputs, 0}, dy, rows, outputs,
               inputs);
    if (dx) product<S>({dx, inputs, 1}, parameters, {dy, outputs}, dy, rows, outputs, inputs);
  }
};

}  // namespace pgfast
