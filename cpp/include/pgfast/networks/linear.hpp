// An affine layer y = x W + b on a tile of rows. Its parameters stand in one run of memory:
// W (inputs, outputs) row-major, then b (outputs).
#pragma once

#include "pgfast/networks/narrow_product.hpp"
#include "pgfast/networks/row_sum.hpp"

namespace pgfast {

struct Linear {
  Index inputs, outputs;

  Index num_parameters() const { return (inputs + 1) * outputs; }

  // Few outputs of many inputs: products read W as `pack_narrow` packs it, which else may be null.
  template <class S>
  bool narrow() const {
    return outputs <= narrow_columns<S> && inputs >= 16;
  }

  // y = x W + b
  template <class S>
  void forward(const S* parameters, const S* packed, const S* x, Index rows, S* y) const {
    multiply(parameters, packed, {parameters + inputs * outputs, 0}, x, rows, y);
  }

  // gradient += J'dy:  dW += x'dy,  db += sum over rows of dy. `work` (outputs, inputs) is
  // used where the layer is narrow.
  template <class S>
  void backward(const S* x, Index rows, const S* dy, S* gradient, S* work) const {
    if (narrow<S>()) {
      narrow_gradient(x, dy, gradient, rows, outputs, inputs, work);
    } else {
      product<S>({x, 1, inputs}, dy, {gradient, outputs}, gradient, inputs, outputs, rows);
    }
    add_rows(dy, rows, outputs, gradient + inputs * outputs);
  }

  // dx = dy W', given W' (outputs, inputs)
  template <class S>
  void backward_input(const S* transposed, Index rows, const S* dy, S* dx) const {
    product<S>({dy, outputs, 1}, transposed, {}, dx, rows, inputs, outputs);
  }

  // The change of y when the parameters move along `direction` and x along dx (null: x fixed):
  // dy = x dW + db + dx W
  template <class S>
  void jvp(const S* parameters, const S* packed, const S* direction, const S* direction_packed,
           const S* x, const S* dx, Index rows, S* dy) const {
    forward(direction, direction_packed, x, rows, dy);
    if (dx) multiply(parameters, packed, {dy, outputs}, dx, rows, dy);
  }

 private:
  // y = init + x W
  template <class S>
  void multiply(const S* W, const S* packed, Initial<S> init, const S* x, Index rows, S* y) const {
    if (narrow<S>()) {
      narrow_product(x, packed, init, y, rows, outputs, inputs);
    } else {
      product<S>({x, inputs, 1}, W, init, y, rows, outputs, inputs);
    }
  }
};

}  // namespace pgfast
