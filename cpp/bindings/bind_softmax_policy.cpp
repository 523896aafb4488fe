#include "mlp_arguments.hpp"
#include "policy_binding.hpp"

namespace pgfast::bindings {

void bind_softmax_policy(py::module_& m) {
  py::class_<SoftmaxMlp> softmax_mlp(m, "SoftmaxMlp");
  softmax_mlp.def(py::init([](const std::vector<Index>& sizes, const std::string& activation,
                              py::object features, py::object normalization) {
                    return SoftmaxMlp{preprocessed(sizes, activation, features, normalization),
                                      Softmax{sizes.back()}};
                  }),
                  py::arg("sizes"), py::arg("activation"), py::arg("features"),
                  py::arg("normalization"));
  PolicyBinding<SoftmaxMlp>::bind(softmax_mlp);

  py::class_<SoftmaxStateAction> softmax_state_action(m, "SoftmaxStateAction");
  softmax_state_action.def(py::init([](Index actions, Index features) {
                             Arguments("policy").at_least("actions", actions, 1);
                             Arguments("policy").at_least("features", features, 1);
                             return SoftmaxStateAction{StateActionLinear(actions, features),
                                                       Softmax{actions}};
                           }),
                           py::arg("actions"), py::arg("features"));
  PolicyBinding<SoftmaxStateAction>::bind(softmax_state_action);
}

}  // namespace pgfast::bindings
