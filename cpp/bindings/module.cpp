// Table of contents: one bind_<row>.cpp for each row of the house.
#include <pybind11/pybind11.h>

namespace pgfast::bindings {
void bind_build_info(pybind11::module_& m);
void bind_limits(pybind11::module_& m);
void bind_parallel(pybind11::module_& m);
void bind_recycled(pybind11::module_& m);
void bind_random(pybind11::module_& m);
void bind_returns(pybind11::module_& m);
void bind_vtrace(pybind11::module_& m);
void bind_moments(pybind11::module_& m);
void bind_baselines(pybind11::module_& m);
void bind_value_function(pybind11::module_& m);
void bind_softmax(pybind11::module_& m);
void bind_softmax_policy(pybind11::module_& m);
void bind_multi_softmax_policy(pybind11::module_& m);
void bind_gaussian_policy(pybind11::module_& m);
void bind_minibatch(pybind11::module_& m);
void bind_trust_region(pybind11::module_& m);
void bind_features(pybind11::module_& m);
void bind_gaussian(pybind11::module_& m);
void bind_multi_softmax(pybind11::module_& m);
void bind_policy(pybind11::module_& m);
void bind_conjugate_gradient(pybind11::module_& m);
void bind_optimizers(pybind11::module_& m);
void bind_vector_env(pybind11::module_& m);
void bind_control_envs(pybind11::module_& m);
void bind_finite_envs(pybind11::module_& m);
void bind_rollout(pybind11::module_& m);
void bind_tabular(pybind11::module_& m);
}  // namespace pgfast::bindings

PYBIND11_MODULE(_core, m) {
  using namespace pgfast::bindings;
  m.doc() = "The C++ core of pgfast. Use it through the package pgfast.";
  bind_build_info(m);
  bind_limits(m);
  bind_parallel(m);
  bind_recycled(m);
  bind_random(m);
  bind_returns(m);
  bind_vtrace(m);
  bind_moments(m);
  bind_baselines(m);
  bind_value_function(m);
  bind_softmax(m);
  bind_features(m);
  bind_gaussian(m);
  bind_multi_softmax(m);
  bind_conjugate_gradient(m);
  bind_softmax_policy(m);
  bind_multi_softmax_policy(m);
  bind_gaussian_policy(m);
  bind_minibatch(m);
  bind_trust_region(m);
  bind_optimizers(m);
  bind_vector_env(m);
  bind_control_envs(m);
  bind_finite_envs(m);
  bind_rollout(m);
  bind_tabular(m);
}
