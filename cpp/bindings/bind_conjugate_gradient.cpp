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

py::tuple py_conjugate_gradient(py::object matvec, py::object b, py::object tolerance,
                                py::object max_iterations, py::object damping) {
  const Arguments arguments("conjugate_gradient");
  if (!PyCallable_Check(matvec.ptr()))
    arguments.fail_type("matvec can't be called, expected v -> A v");
  const double relative = arguments.not_negative("tolerance", tolerance);
  const double diagonal = arguments.not_negative("damping", damping);
  return arguments.dispatch("b", b, [&]<class S>() -> py::tuple {
    const auto right = arguments.input<S>("b", b, {"P"});
    const Index n = right.shape[0];
    const Index limit = arguments.limit("max_iterations", max_iterations, n);
    auto x = output<S>({n});
    const CGOutcome outcome =
        conjugate_gradient<S>(python_matvec<S>(arguments, matvec, n), right.data, x.mutable_data(),
                              n, relative, limit, diagonal);
    return py::make_tuple(x, outcome.iterations, outcome.residual, status_name(outcome.status));
  });
}

}  // namespace

void bind_conjugate_gradient(py::module_& m) {
  m.def("conjugate_gradient", &py_conjugate_gradient, py::arg("matvec"), py::arg("b"),
        py::arg("tolerance"), py::arg("max_iterations"), py::arg("damping"));
}

}  // namespace pgfast::bindings
