#include "native_env.hpp"
#include "pgfast/envs/cartpole.hpp"

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
      .def("get_state", &E::get_state)
      .def("set_state", &E::set_state, py::arg("parts"));
}

template <class S>
std::unique_ptr<NativeEnv<S, DiscreteAction>> cartpole(Index num_envs, Index max_episode_steps,
                                         bool sutton_barto_reward) {
  return std::make_unique<NativeEnv<S, DiscreteAction>>(
      std::make_unique<LaneEnv<CartPole<S>>>(CartPole<S>{sutton_barto_reward}, num_envs,
                                             max_episode_steps),
      DiscreteActions{2});
}

}  // namespace

void bind_vector_env(py::module_& m) {
  py::enum_<Autoreset>(m, "Autoreset")
      .value("next_step", Autoreset::next_step)
      .value("same_step", Autoreset::same_step)
      .value("disabled", Autoreset::disabled);
  bind_env<NativeEnv<float, DiscreteAction>>(m, "DiscreteEnvFloat32");
  bind_env<NativeEnv<double, DiscreteAction>>(m, "DiscreteEnvFloat64");
  m.def("cartpole_float32", &cartpole<float>, py::arg("num_envs"), py::arg("max_episode_steps"),
        py::arg("sutton_barto_reward"));
  m.def("cartpole_float64", &cartpole<double>, py::arg("num_envs"), py::arg("max_episode_steps"),
        py::arg("sutton_barto_reward"));
}

}  // namespace pgfast::bindings
