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

}  // namespace

void bind_baselines(py::module_& m) {
  bind_baseline(m, "constant_baseline", &constant_baseline<float>, &constant_baseline<double>);
  bind_baseline(m, "time_baseline", &time_baseline<float>, &time_baseline<double>);
  bind_baseline(m, "leave_one_out_baseline", &leave_one_out_baseline<float>,
                &leave_one_out_baseline<double>);
}

}  // namespace pgfast::bindings
