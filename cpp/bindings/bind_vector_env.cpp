#include "native_env.hpp"
#include "pgfast/envs/cartpole.hpp"
#include "pgfast/envs/pendulum.hpp"

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

template <class S>
using Discrete = NativeEnv<S, DiscreteAction>;
template <class S>
using Box = NativeEnv<S, S>;

template <class Env>
auto batch(Env env, Index num_envs, Index max_episode_steps) {
  return std::make_unique<LaneEnv<Env>>(std::move(env), num_envs, max_episode_steps);
}

// A box of actions in [low, high] in each of `size` dimensions.
template <class S>
BoxActions<S> box(Index size, S low, S high) {
  return {Buffer<S>::Constant(size, low), Buffer<S>::Constant(size, high)};
}

template <class S>
void bind_constructors(py::module_& m, const std::string& dtype) {
  const auto bind = [&](const char* name, auto make, const auto&... parameters) {
    m.def((name + dtype).c_str(), make, py::arg("num_envs"), py::arg("max_episode_steps"),
          parameters...);
  };
  bind(
      "cartpole_",
      [](Index n, Index limit, bool sutton_barto_reward) {
        return std::make_unique<Discrete<S>>(batch(CartPole<S>{sutton_barto_reward}, n, limit),
                                             DiscreteActions{2});
      },
      py::arg("sutton_barto_reward"));
  bind(
      "pendulum_",
      [](Index n, Index limit, double g) {
        return std::make_unique<Box<S>>(
            batch(Pendulum<S>{static_cast<S>(g)}, n, limit),
            box<S>(1, -Pendulum<S>::max_torque, Pendulum<S>::max_torque));
      },
      py::arg("g"));
}

}  // namespace

void bind_vector_env(py::module_& m) {
  py::enum_<Autoreset>(m, "Autoreset")
      .value("next_step", Autoreset::next_step)
      .value("same_step", Autoreset::same_step)
      .value("disabled", Autoreset::disabled);
  bind_env<Discrete<float>>(m, "DiscreteEnvFloat32");
  bind_env<Discrete<double>>(m, "DiscreteEnvFloat64");
  bind_env<Box<float>>(m, "BoxEnvFloat32");
  bind_env<Box<double>>(m, "BoxEnvFloat64");
  bind_constructors<float>(m, "float32");
  bind_constructors<double>(m, "float64");
}

}  // namespace pgfast::bindings
