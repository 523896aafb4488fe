#include "numpy.hpp"
#include "pgfast/conjugate_gradient.hpp"

namespace pgfast::bindings {
namespace {

// A Python matvec: it gets an array of its own and must give one of the same length and dtype.
template <class S>
auto python_matvec(const Arguments& arguments, const py::object& matvec, Index n) {
  return [&arguments, &matvec, n](const S* v, S* out) {
    const py::object product = matvec(py::array_t<S>(n, v));
    const auto in = arguments.input<S>("matvec(v)", product, {n});
    std::copy_n(in.data, n, out);
  };
}

py::tuple py_conjugate_gradient(py::object matvec, py::object b, double tolerance,
                                std::optional<Index> max_iterations, double damping) {
  const Arguments arguments("conjugate_gradient");
  arguments.not_negative("tolerance", tolerance);
  arguments.not_negative("damping", damping);
  if (max_iterations) arguments.at_least("max_iterations", *max_iterations, 1);
  return arguments.dispatch("b", b, [&]<class S>() -> py::tuple {
    const auto right = arguments.input<S>("b", b, {"P"});
    const Index n = right.shape[0];
    auto x = output<S>({n});
    const CGOutcome outcome =
        conjugate_gradient<S>(python_matvec<S>(arguments, matvec, n), right.data, x.mutable_data(),
                              n, tolerance, max_iterations.value_or(n), damping);
    return py::make_tuple(x, outcome.iterations, outcome.residual, status_name(outcome.status));
  });
}

}  // namespace

void bind_conjugate_gradient(py::module_& m) {
  m.def("conjugate_gradient", &py_conjugate_gradient, py::arg("matvec"), py::arg("b"),
        py::arg("tolerance"), py::arg("max_iterations"), py::arg("damping"));
}

}  // namespace pgfast::bindings
