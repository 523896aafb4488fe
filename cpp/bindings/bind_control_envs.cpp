// Constructors of the environments with continuous states.
#include <limits>

#include "env_constructors.hpp"
#include "pgfast/envs/acrobot.hpp"
#include "pgfast/envs/cartpole.hpp"
#include "pgfast/envs/lqr.hpp"
#include "pgfast/envs/mountain_car_continuous.hpp"
#include "pgfast/envs/moving_particle_continuous.hpp"
#include "pgfast/envs/pendulum.hpp"

namespace pgfast::bindings {
namespace {

template <class S>
auto lqr(Index num_envs, Index limit, py::object A, py::object B, py::object Q, py::object R,
         py::object noise, py::object mean, py::object spread) {
  const Arguments arguments("make('LQR-v0')");
  const auto b = arguments.finite_input<double>("B", B, {"n", "m"});
  const Index n = b.shape[0], m = b.shape[1];
  const auto read = [&](const char* name, py::handle value, const std::vector<Dim>& shape) {
    return numbers<S>(arguments.finite_input<double>(name, value, shape));
  };
  return within(
      LQR<S>{n, m, read("A", A, {n, n}), numbers<S>(b), read("Q", Q, {n, n}), read("R", R, {m, m}),
             noise.is_none() ? std::vector<S>{} : read("noise", noise, {n, n}),
             read("mean", mean, {n}), read("spread", spread, {n, n})},
      num_envs, limit, std::numeric_limits<S>::infinity());
}

template <class S>
void bind_constructors(py::module_& m) {
  bind_constructor<S>(
      m, "cartpole",
      [](Index n, Index limit, bool sutton_barto_reward) {
        return with_actions(CartPole<S>{sutton_barto_reward}, n, limit, 2);
      },
      py::arg("sutton_barto_reward"));
  bind_constructor<S>(
      m, "pendulum",
      [](Index n, Index limit, double g) {
        return within(Pendulum<S>{static_cast<S>(g)}, n, limit, Pendulum<S>::max_torque);
      },
      py::arg("g"));
  bind_constructor<S>(
      m, "mountain_car",
      [](Index n, Index limit, double goal_velocity) {
        MountainCar<S> env;
        env.valley.goal_velocity = static_cast<S>(goal_velocity);
        return with_actions(env, n, limit, 3);
      },
      py::arg("goal_velocity"));
  bind_constructor<S>(
      m, "mountain_car_continuous",
      [](Index n, Index limit, double goal_velocity) {
        MountainCarContinuous<S> env;
        env.valley.goal_velocity = static_cast<S>(goal_velocity);
        return within(env, n, limit, MountainCarContinuous<S>::max_action);
      },
      py::arg("goal_velocity"));
  bind_constructor<S>(m, "acrobot",
                      [](Index n, Index limit) { return with_actions(Acrobot<S>{}, n, limit, 3); });
  bind_constructor<S>(m, "moving_particle", [](Index n, Index limit) {
    return with_actions(MovingParticle<S>{}, n, limit, MovingParticle<S>::directions);
  });
  bind_constructor<S>(m, "moving_particle_continuous", [](Index n, Index limit) {
    using Env = MovingParticleContinuous<S>;
    return within(Env{}, n, limit, Env::max_action);
  });
  bind_constructor<S>(m, "lqr", &lqr<S>, py::arg("A"), py::arg("B"), py::arg("Q"), py::arg("R"),
                      py::arg("noise"), py::arg("mean"), py::arg("spread"));
}

}  // namespace

void bind_control_envs(py::module_& m) {
  bind_constructors<float>(m);
  bind_constructors<double>(m);
}

}  // namespace pgfast::bindings
