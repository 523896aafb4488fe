#include "pgfast/trust_region.hpp"
#include "surrogate_arguments.hpp"

namespace pgfast::bindings {
namespace {

template <class P>
py::dict step(const P& policy, py::object theta, py::object observations, py::object actions,
              py::object masks, py::object log_probs, py::object advantages, double kl_radius,
              double damping, double tolerance, Index max_iterations, Index max_backtracks,
              double shrink, double accept) {
  const Arguments arguments("trust_region_step");
  return arguments.dispatch("theta", theta, [&]<class S>() {
    const auto t = arguments.in_place<S>("theta", theta, {policy.network.num_parameters()});
    const SampleArguments<S, P> in(arguments, policy, observations, actions, masks, log_probs,
                                   advantages);
    TrustRegionOutcome outcome;
    {
      const py::gil_scoped_release release;
      outcome = trust_region_step(
          policy, t.data, in.samples(),
          {kl_radius, damping, tolerance, max_iterations, max_backtracks, shrink, accept});
    }
    py::dict stats;
    stats["gradient_norm"] = outcome.gradient_norm;
    stats["cg_iterations"] = static_cast<double>(outcome.solve.iterations);
    stats["cg_residual"] = outcome.solve.residual;
    stats["expected_improvement"] = outcome.expected;
    stats["improvement"] = outcome.improvement;
    stats["kl"] = outcome.kl;
    stats["backtracks"] = static_cast<double>(outcome.backtracks);
    stats["accepted"] = outcome.accepted ? 1.0 : 0.0;
    return stats;
  });
}

template <class P>
void bind_step(py::module_& m) {
  m.def("trust_region_step", &step<P>, py::arg("policy"), py::arg("theta"), py::arg("observations"),
        py::arg("actions"), py::arg("masks"), py::arg("log_probs"), py::arg("advantages"),
        py::arg("kl_radius"), py::arg("damping"), py::arg("tolerance"), py::arg("max_iterations"),
        py::arg("max_backtracks"), py::arg("shrink"), py::arg("accept"));
}

}  // namespace

void bind_trust_region(py::module_& m) {
  bind_step<SoftmaxMlp>(m);
  bind_step<MultiSoftmaxMlp>(m);
  bind_step<GaussianMlp>(m);
  bind_step<SoftmaxStateAction>(m);
}

}  // namespace pgfast::bindings
