#include "numpy.hpp"
#include "pgfast/baselines.hpp"

namespace pgfast::bindings {
namespace {

// One binding for all baselines: the kernel is the template argument.
template <class Kernel32, class Kernel64>
void bind_baseline(py::module_& m, const char* name, Kernel32 kernel32, Kernel64 kernel64) {
  m.def(
      name,
      [name, kernel32, kernel64](py::object returns, py::object valid) {
        const Arguments arguments(name);
        return arguments.dispatch("returns", returns, [&]<class S>() -> py::array {
          const auto g = arguments.input<S>("returns", returns, {"T", "N"});
          const auto happened = arguments.optional<bool>("valid", valid, {g.shape[0], g.shape[1]});
          auto out = output<S>(g.shape);
          const auto view = matrix_of(out);
          const py::gil_scoped_release release;
          if constexpr (std::is_same_v<S, float>) kernel32(g.matrix(), happened.data, view);
          if constexpr (std::is_same_v<S, double>) kernel64(g.matrix(), happened.data, view);
          return out;
        });
      },
      py::arg("returns"), py::arg("valid"));
}

py::array py_optimal_baseline(py::object returns, py::object valid, py::object score_norms,
                              bool per_time) {
  const Arguments arguments("optimal_baseline");
  return arguments.dispatch("returns", returns, [&]<class S>() -> py::array {
    const auto g = arguments.input<S>("returns", returns, {"T", "N"});
    const Index T = g.shape[0], N = g.shape[1];
    const auto happened = arguments.optional<bool>("valid", valid, {T, N});
    const auto norms = arguments.input<S>("score_norms", score_norms, {T, N});
    for (Index i = 0; i < norms.size(); ++i) {
      if (norms.data[i] < S{0}) {
        arguments.fail("score_norms holds " + std::to_string(norms.data[i]) +
                       ", expected numbers >= 0");
      }
    }
    auto out = output<S>(g.shape);
    const auto view = matrix_of(out);
    const py::gil_scoped_release release;
    optimal_baseline<S>(g.matrix(), happened.data, norms.data, per_time, view);
    return out;
  });
}

py::array py_linear_baseline(py::object returns, py::object valid, py::object observations,
                             py::object ridge) {
  const Arguments arguments("linear_baseline");
  const double penalty = arguments.not_negative("ridge", ridge);
  return arguments.dispatch("returns", returns, [&]<class S>() -> py::array {
    const auto g = arguments.input<S>("returns", returns, {"T", "N"});
    const Index T = g.shape[0], N = g.shape[1];
    const auto happened = arguments.optional<bool>("valid", valid, {T, N});
    const auto s = arguments.input<S>("observations", observations, {T, N, "D"});
    auto out = output<S>(g.shape);
    const auto view = matrix_of(out);
    const py::gil_scoped_release release;
    linear_baseline<S>(g.matrix(), happened.data, s.data, s.shape[2], penalty, view);
    return out;
  });
}

}  // namespace

void bind_baselines(py::module_& m) {
  bind_baseline(m, "constant_baseline", &constant_baseline<float>, &constant_baseline<double>);
  bind_baseline(m, "time_baseline", &time_baseline<float>, &time_baseline<double>);
  bind_baseline(m, "leave_one_out_baseline", &leave_one_out_baseline<float>,
                &leave_one_out_baseline<double>);
  m.def("linear_baseline", &py_linear_baseline, py::arg("returns"), py::arg("valid"),
        py::arg("observations"), py::arg("ridge"));
  m.def("optimal_baseline", &py_optimal_baseline, py::arg("returns"), py::arg("valid"),
        py::arg("score_norms"), py::arg("per_time"));
}

}  // namespace pgfast::bindings
