#include "native_env.hpp"

namespace pgfast::bindings {
namespace {

template <class E>
void bind_env(py::module_& m, const char* name) {
  py::class_<E>(m, name)
      .def("seed", &E::seed, py::arg("seeds"))
      .def("reset", &E::reset, py::arg("seeds"), py::arg("mask"), py::arg("states"))
      .def("step", &E::step, py::arg("actions"), py::arg("mode"))
      .def("observe", &E::observe)
      .def("finished", &E::finished)
      .def("states", &E::states)
      .def("get_state", &E::get_state)
      .def("set_state", &E::set_state, py::arg("parts"));
}

}  // namespace

void bind_vector_env(py::module_& m) {
  py::enum_<Autoreset>(m, "Autoreset")
      .value("next_step", Autoreset::next_step)
      .value("same_step", Autoreset::same_step)
      .value("disabled", Autoreset::disabled);
  bind_env<NativeEnv<float, DiscreteAction>>(m, "DiscreteEnvFloat32");
  bind_env<NativeEnv<double, DiscreteAction>>(m, "DiscreteEnvFloat64");
  bind_env<NativeEnv<float, float>>(m, "BoxEnvFloat32");
  bind_env<NativeEnv<double, double>>(m, "BoxEnvFloat64");
}

}  // namespace pgfast::bindings
