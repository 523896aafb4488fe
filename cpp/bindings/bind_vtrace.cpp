#include "episodes.hpp"
#include "pgfast/vtrace.hpp"

namespace pgfast::bindings {
namespace {

py::tuple py_vtrace(py::object rewards, py::object values, py::object log_ratios,
                    py::object terminated, py::object truncated, py::object gamma, py::object lam,
                    py::object rho_clip, py::object c_clip, py::object final_values) {
  const Arguments arguments("vtrace");
  const VtraceSettings settings{
      arguments.unit_interval("gamma", gamma), arguments.unit_interval("lam", lam),
      arguments.positive("rho_clip", rho_clip), arguments.positive("c_clip", c_clip)};
  return arguments.dispatch("rewards", rewards, [&]<class S>() -> py::tuple {
    const Episodes<S> in(arguments, rewards, terminated, truncated);
    const auto v = arguments.input<S>("values", values, {in.T + 1, in.N});
    const auto ratios = arguments.input<S>("log_ratios", log_ratios, {in.T, in.N});
    const auto finals = in.final_values(arguments, final_values, "values");
    auto targets = output<S>({in.T, in.N}), advantages = output<S>({in.T, in.N});
    const auto targets_view = matrix_of(targets), advantages_view = matrix_of(advantages);
    {
      const py::gil_scoped_release release;
      vtrace<S>(in.rewards.matrix(), v.matrix(), ratios.matrix(), in.terminated.matrix(),
                in.truncated.matrix(), settings, finals.data, targets_view, advantages_view);
    }
    return py::make_tuple(targets, advantages);
  });
}

}  // namespace

void bind_vtrace(py::module_& m) {
  m.def("vtrace", &py_vtrace, py::arg("rewards"), py::arg("values"), py::arg("log_ratios"),
        py::arg("terminated"), py::arg("truncated"), py::arg("gamma"), py::arg("lam"),
        py::arg("rho_clip"), py::arg("c_clip"), py::arg("final_values"));
}

}  // namespace pgfast::bindings
