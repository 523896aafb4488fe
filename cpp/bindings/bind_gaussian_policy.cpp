#include "mlp_arguments.hpp"
#include "policy_binding.hpp"

namespace pgfast::bindings {
namespace {

// How many (sample, dimension) pairs have a log sigma below its floor.
Index floored(const GaussianMlp& policy, py::object theta, py::object observations) {
  const Arguments arguments("floored");
  return arguments.dispatch("theta", theta, [&]<class S>() {
    const auto t = arguments.input<S>("theta", theta, {policy.network.num_parameters()});
    const auto o = arguments.batch<S>("observations", observations, {policy.network.input_size()});
    const py::gil_scoped_release release;
    return floored_count(policy, t.data, States<S>{o.data, o.samples});
  });
}

}  // namespace

void bind_gaussian_policy(py::module_& m) {
  py::class_<GaussianMlp> c(m, "GaussianMlp");
  c.def(py::init([](const std::vector<Index>& sizes, const std::string& activation, Index actions,
                    Index tail, const std::vector<double>& fixed_log_std, double log_std_floor,
                    py::object features, py::object normalization) {
          GaussianMlp policy{
              WithTail(preprocessed(sizes, activation, features, normalization), tail),
              Gaussian{actions, fixed_log_std.empty(), fixed_log_std, log_std_floor}};
          check_outputs(policy);
          return policy;
        }),
        py::arg("sizes"), py::arg("activation"), py::arg("actions"), py::arg("tail"),
        py::arg("fixed_log_std"), py::arg("log_std_floor"), py::arg("features"),
        py::arg("normalization"));
  c.def("floored", &floored, py::arg("theta"), py::arg("observations"));
  PolicyBinding<GaussianMlp>::bind(c);
}

}  // namespace pgfast::bindings
