#include "numpy.hpp"
#include "pgfast/optimizers.hpp"

namespace pgfast::bindings {
namespace {

void py_sgd_step(py::object theta, py::object gradient, double step_size) {
  const Arguments arguments("sgd_step");
  arguments.finite("step_size", step_size);
  arguments.dispatch("theta", theta, [&]<class S>() {
    S* t = arguments.in_place<S>("theta", theta, {"P"});
    const Index size = static_cast<Index>(py::len(theta));
    const auto g = arguments.input<S>("gradient", gradient, {size});
    const py::gil_scoped_release release;
    sgd_step<S>(t, g.data, size, static_cast<S>(step_size));
  });
}

void py_adam_step(py::object theta, py::object gradient, py::object m, py::object v,
                  std::int64_t count, double step_size, double beta1, double beta2,
                  double epsilon) {
  const Arguments arguments("adam_step");
  arguments.at_least("count", count, 1);
  arguments.finite("step_size", step_size);
  arguments.unit_interval("beta1", beta1);
  arguments.unit_interval("beta2", beta2);
  arguments.not_negative("epsilon", epsilon);
  arguments.dispatch("theta", theta, [&]<class S>() {
    S* t = arguments.in_place<S>("theta", theta, {"P"});
    const Index size = static_cast<Index>(py::len(theta));
    const auto g = arguments.input<S>("gradient", gradient, {size});
    S* first = arguments.in_place<S>("m", m, {size});
    S* second = arguments.in_place<S>("v", v, {size});
    const py::gil_scoped_release release;
    adam_step<S>(t, g.data, first, second, size, count, static_cast<S>(step_size),
                 static_cast<S>(beta1), static_cast<S>(beta2), static_cast<S>(epsilon));
  });
}

}  // namespace

void bind_optimizers(py::module_& m) {
  m.def("sgd_step", &py_sgd_step, py::arg("theta"), py::arg("gradient"), py::arg("step_size"));
  m.def("adam_step", &py_adam_step, py::arg("theta"), py::arg("gradient"), py::arg("m"),
        py::arg("v"), py::arg("count"), py::arg("step_size"), py::arg("beta1"), py::arg("beta2"),
        py::arg("epsilon"));
}

}  // namespace pgfast::bindings
