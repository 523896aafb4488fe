#include <limits>

#include "check.hpp"
#include "pgfast/networks/linear.hpp"

namespace pgfast {
namespace {

using check::Array;

// Small integers: every product and sum is exact, so the answers are too.
template <class S>
Array<S> small_integers(Index count, std::uint64_t seed) {
  return (check::integers(count, 17, seed) - 8).template cast<S>();
}

template <class S>
struct Problem {
  Linear layer;
  Index rows;
  Array<S> parameters, direction, x, dx, dy;

  Problem(Index inputs, Index outputs, Index r)
      : layer{inputs, outputs},
        rows(r),
        parameters(small_integers<S>(layer.num_parameters(), 1)),
        direction(small_integers<S>(layer.num_parameters(), 2)),
        x(small_integers<S>(r * inputs, 3)),
        dx(small_integers<S>(r * inputs, 4)),
        dy(small_integers<S>(r * outputs, 5)) {}

  Array<S> transposed(const Array<S>& p) const {
    Array<S> turned(layer.inputs * layer.outputs);
    transpose(p.data(), layer.inputs, layer.outputs, turned.data());
    return turned;
  }
  Buffer<S> packed(const Array<S>& p) const {
    Buffer<S> of_p;
    pack_narrow(p.data(), layer.inputs, layer.outputs, of_p);
    return of_p;
  }
  Array<S> forward() const {
    Array<S> y(dy.size());
    layer.forward(parameters.data(), packed(parameters).data(), x.data(), rows, y.data());
    return y;
  }
  Array<S> jvp(const S* along_x) const {
    Array<S> y(dy.size());
    layer.jvp(parameters.data(), packed(parameters).data(), direction.data(),
              packed(direction).data(), x.data(), along_x, rows, y.data());
    return y;
  }
  Array<S> backward(Array<S> gradient) const {
    Array<S> work(layer.inputs * layer.outputs);
    layer.backward(x.data(), rows, dy.data(), gradient.data(), work.data());
    return gradient;
  }

  // x W + b by hand
  Array<S> affine(const Array<S>& p, const Array<S>& input, bool bias = true) const {
    const Index I = layer.inputs, O = layer.outputs;
    Array<S> y = Array<S>::zeros(rows * O);
    for (Index r = 0; r < rows; ++r) {
      for (Index o = 0; o < O; ++o) {
        if (bias) y[r * O + o] = p[I * O + o];
        for (Index i = 0; i < I; ++i) y[r * O + o] += input[r * I + i] * p[i * O + o];
      }
    }
    return y;
  }
};

template <class F>
void for_each_problem(F&& f) {
  check::for_each_scalar([&]<class S>() {
    for (const Index inputs : {1, 3, 5, 17, 33}) {
      for (const Index outputs : {1, 3, 5, 8, 17, 33}) {
        for (const Index rows : {1, 3, 32}) {
          CONTEXT(inputs << " inputs, " << outputs << " outputs, " << rows << " rows");
          f(Problem<S>(inputs, outputs, rows));
        }
      }
    }
  });
}

TEST(parameters, "A layer has inputs * outputs weights and one bias per output.") {
  CHECK_EQ((Linear{3, 5}.num_parameters()), 3 * 5 + 5);
}

TEST(transposed, "The transpose has the matrix's columns as its rows, whatever its size.") {
  for_each_problem([]<class S>(const Problem<S>& p) {
    const Index I = p.layer.inputs, O = p.layer.outputs;
    Array<S> transposed(I * O);
    transpose(p.parameters.data(), I, O, transposed.data());
    for (Index i = 0; i < I; ++i) {
      for (Index o = 0; o < O; ++o) CHECK_EQ(transposed[o * I + i], p.parameters[i * O + o]);
    }
  });
}

TEST(forward, "The output is x W + b, W row-major and then b.") {
  for_each_problem(
      []<class S>(const Problem<S>& p) { CHECK_SAME(p.forward(), p.affine(p.parameters, p.x)); });
}

TEST(narrow, "A layer of few outputs and many inputs takes its own way.") {
  check::for_each_scalar([]<class S>() {
    CHECK((Linear{64, 1}.narrow<S>()));
    CHECK((Linear{16, narrow_columns<S>}.narrow<S>()));
    CHECK(!(Linear{15, 2}.narrow<S>()));
    CHECK(!(Linear{64, narrow_columns<S> + 1}.narrow<S>()));
  });
}

TEST(backward, "The gradient gains x'dy and the sum of dy over rows.") {
  for_each_problem([]<class S>(const Problem<S>& p) {
    const Index I = p.layer.inputs, O = p.layer.outputs;
    const Array<S> gradient = p.backward(p.direction);  // something to add to
    Array<S> expected = p.direction;
    for (Index r = 0; r < p.rows; ++r) {
      for (Index o = 0; o < O; ++o) {
        for (Index i = 0; i < I; ++i) expected[i * O + o] += p.x[r * I + i] * p.dy[r * O + o];
        expected[I * O + o] += p.dy[r * O + o];
      }
    }
    CHECK_SAME(gradient, expected);
  });
}

TEST(jvp, "The tangent is x dW + db + dx W, without the last term where x is fixed.") {
  for_each_problem([]<class S>(const Problem<S>& p) {
    CHECK_SAME(p.jvp(nullptr), p.affine(p.direction, p.x));
    CHECK_SAME(p.jvp(p.dx.data()),
               (p.affine(p.direction, p.x) + p.affine(p.parameters, p.dx, false)));
  });
}

TEST(adjoint, "<dx W, dy> = <dx, dy W'> and <x dW + db, dy> = <(dW, db), backward(dy)>.") {
  for_each_problem([]<class S>(const Problem<S>& p) {
    Array<S> back(p.x.size());
    p.layer.backward_input(p.transposed(p.parameters).data(), p.rows, p.dy.data(), back.data());
    CHECK_EQ((p.affine(p.parameters, p.dx, false) * p.dy).sum(), (p.dx * back).sum());

    const Array<S> gradient = p.backward(Array<S>::zeros(p.parameters.size()));
    CHECK_EQ((p.affine(p.direction, p.x) * p.dy).sum(), (p.direction * gradient).sum());
  });
}

}  // namespace
}  // namespace pgfast
