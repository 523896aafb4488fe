#include "numpy.hpp"
#include "pgfast/optimizers.hpp"

namespace pgfast::bindings {
namespace {

void py_sgd_step(py::object theta, py::object gradient, py::object step_size) {
  const Arguments arguments("sgd_step");
  const double step = arguments.finite("step_size", step_size);
  arguments.dispatch("theta", theta, [&]<class S>() {
    const auto t = arguments.in_place<S>("theta", theta, {"P"});
    const auto g = arguments.input<S>("gradient", gradient, {t.size});
    const py::gil_scoped_release release;
    sgd_step<S>(t.data, g.data, t.size, static_cast<S>(step));
  });
}

void py_adam_step(py::object theta, py::object gradient, py::object m, py::object v,
                  std::int64_t count, py::object step_size, py::object beta1, py::object beta2,
                  py::object epsilon) {
  const Arguments arguments("adam_step");
  arguments.at_least("count", count, 1);
  const double step = arguments.finite("step_size", step_size);
  const double b1 = arguments.unit_interval("beta1", beta1);
  const double b2 = arguments.unit_interval("beta2", beta2);
  const double eps = arguments.not_negative("epsilon", epsilon);
  arguments.dispatch("theta", theta, [&]<class S>() {
    const auto t = arguments.in_place<S>("theta", theta, {"P"});
    const auto g = arguments.input<S>("gradient", gradient, {t.size});
    const auto first = arguments.in_place<S>("m", m, {t.size});
    const auto second = arguments.in_place<S>("v", v, {t.size});
    const py::gil_scoped_release release;
    adam_step<S>(t.data, g.data, first.data, second.data, t.size, count, static_cast<S>(step),
                 static_cast<S>(b1), static_cast<S>(b2), static_cast<S>(eps));
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
