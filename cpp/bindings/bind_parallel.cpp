#include "numpy.hpp"
#include "pgfast/parallel.hpp"

namespace pgfast::bindings {

void bind_parallel(py::module_& m) {
  m.def(
      "set_num_threads",
      [](Index n) {
        const Arguments arguments("set_num_threads");
        arguments.at_least("n", n, 1);
        if (n > 1024) arguments.fail("n is " + std::to_string(n) + ", expected at most 1024");
        ThreadTeam::instance().set_num_threads(static_cast<int>(n));
      },
      py::arg("n"));
  m.def("get_num_threads", [] { return ThreadTeam::instance().num_threads(); });
  m.def("most_helpers_asked", [] { return ThreadTeam::instance().most_helpers_asked(); });
}

}  // namespace pgfast::bindings
