// The arguments that make a network: sizes, activation, features, normalization.
#pragma once

#include "numpy.hpp"
#include "pgfast/networks/preprocessed.hpp"

namespace pgfast::bindings {

inline Activation activation_named(const std::string& name) {
  if (name == "tanh") return Activation::tanh;
  if (name == "relu") return Activation::relu;
  Arguments("network").fail("activation is '" + name + "', expected 'tanh' or 'relu'");
}

// normalization: None, or (mean, scale, limit), mean and scale float64 (D).
inline Preprocessed preprocessed(const std::vector<Index>& sizes, const std::string& activation,
                                 const py::object& features, const py::object& normalization) {
  const Arguments arguments("network");
  for (const Index size : sizes) arguments.at_least("size", size, 1);
  arguments.at_least("number of sizes", static_cast<Index>(sizes.size()), 2);
  Mlp mlp(sizes, activation_named(activation));
  std::shared_ptr<const Features> phi;
  if (!features.is_none()) {
    phi = features.cast<std::shared_ptr<Features>>();
    if (phi->output_size() != sizes.front()) {
      arguments.fail("features give " + std::to_string(phi->output_size()) + " numbers, expected " +
                     std::to_string(sizes.front()));
    }
  }
  const Index D = phi ? phi->input_size() : sizes.front();
  std::shared_ptr<Normalization> n;
  if (!normalization.is_none()) {
    const auto parts = normalization.cast<py::tuple>();
    const auto mean = arguments.finite_input<double>("normalization mean", parts[0], {D});
    const auto scale = arguments.finite_input<double>("normalization scale", parts[1], {D});
    n = std::make_shared<Normalization>();
    n->mean = Eigen::Map<const Buffer<double>>(mean.data, D);
    n->scale = Eigen::Map<const Buffer<double>>(scale.data, D);
    n->limit = parts[2].cast<double>();
  }
  return {std::move(mlp), std::move(phi), std::move(n)};
}

// The network gives as many numbers as the distribution has parameters.
template <class P>
void check_outputs(const P& policy) {
  if (policy.network.output_size() != policy.distribution.parameter_size()) {
    Arguments("policy").fail("the network gives " + std::to_string(policy.network.output_size()) +
                             " numbers, expected " +
                             std::to_string(policy.distribution.parameter_size()));
  }
}

}  // namespace pgfast::bindings
