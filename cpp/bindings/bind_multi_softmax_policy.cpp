#include "mlp_arguments.hpp"
#include "policy_binding.hpp"

namespace pgfast::bindings {

void bind_multi_softmax_policy(py::module_& m) {
  py::class_<MultiSoftmaxMlp> c(m, "MultiSoftmaxMlp");
  c.def(py::init([](const std::vector<Index>& sizes, const std::string& activation,
                    const std::vector<Index>& actions, py::object features,
                    py::object normalization) {
          for (const Index count : actions) Arguments("policy").at_least("actions", count, 1);
          MultiSoftmaxMlp policy{preprocessed(sizes, activation, features, normalization),
                                 MultiSoftmax{actions}};
          check_outputs(policy);
          return policy;
        }),
        py::arg("sizes"), py::arg("activation"), py::arg("actions"), py::arg("features"),
        py::arg("normalization"));
  PolicyBinding<MultiSoftmaxMlp>::bind(c);
}

}  // namespace pgfast::bindings
