#include "numpy.hpp"
#include "pgfast/limits.hpp"

namespace pgfast::bindings {

void bind_limits(py::module_& m) {
  m.def(
      "fma_peak",
      [](Index repeats) {
        const Arguments arguments("fma_peak");
        arguments.at_least("repeats", repeats, 1);
        const py::gil_scoped_release release;
        return fma_peak<float>(repeats);
      },
      py::arg("repeats"));
  m.def(
      "copy_bandwidth",
      [](Index bytes, Index repeats) {
        const Arguments arguments("copy_bandwidth");
        arguments.at_least("bytes", bytes, 1);
        arguments.at_least("repeats", repeats, 1);
        const py::gil_scoped_release release;
        return copy_bandwidth(bytes, repeats);
      },
      py::arg("bytes"), py::arg("repeats"));
  m.def(
      "plain_cartpole",
      [](Index repeats) {
        const Arguments arguments("plain_cartpole");
        arguments.at_least("repeats", repeats, 1);
        const py::gil_scoped_release release;
        return plain_cartpole<float>(repeats);
      },
      py::arg("repeats"));
}

}  // namespace pgfast::bindings
