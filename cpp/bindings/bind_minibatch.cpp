#include "pgfast/minibatch.hpp"
#include "surrogate_arguments.hpp"

namespace pgfast::bindings {
namespace {

Weighting weighting_named(const Arguments& arguments, const std::string& name) {
  if (name == "log_prob") return Weighting::log_prob;
  if (name == "ratio") return Weighting::ratio;
  if (name == "clipped") return Weighting::clipped;
  arguments.fail("weighting is '" + name + "', expected 'log_prob', 'ratio' or 'clipped'");
}

// (theta, m, v, count, learning rate, beta1, beta2, epsilon), the arrays changed in place.
template <class S>
struct AdamArguments {
  InPlace<S> theta, m, v;
  AdamParameters<S> parameters;

  AdamArguments(const Arguments& arguments, const py::tuple& parts, Index size)
      : theta(arguments.in_place<S>("theta", parts[0], {size})),
        m(arguments.in_place<S>("m", parts[1], {size})),
        v(arguments.in_place<S>("v", parts[2], {size})),
        parameters{theta.data,
                   m.data,
                   v.data,
                   size,
                   parts[3].cast<std::int64_t>(),
                   parts[4].cast<S>(),
                   parts[5].cast<S>(),
                   parts[6].cast<S>(),
                   parts[7].cast<S>()} {}
};

// The value function that learns beside the policy: (network, Adam's tuple, targets, old values or
// None, clip).
template <class S>
struct ValueArguments {
  const Preprocessed* network = nullptr;
  std::optional<AdamArguments<S>> adam;
  Input<S> targets, old_values;
  S clip{};

  ValueArguments(const Arguments& arguments, const py::object& value, const Shape& leading) {
    if (value.is_none()) return;
    const auto parts = value.cast<py::tuple>();
    const std::vector<Dim> shape(leading.begin(), leading.end());
    network = parts[0].cast<const Preprocessed*>();
    if (network->output_size() != 1) arguments.fail("the value function has more than one output");
    adam.emplace(arguments, parts[1].cast<py::tuple>(), network->num_parameters());
    targets = arguments.input<S>("targets", parts[2], shape);
    old_values = arguments.optional<S>("old_values", parts[3], shape);
    clip = parts[4].cast<S>();
  }
};

// What to climb: (weighting, clip, entropy, kl_old, kl_reference).
template <class S>
Surrogate<S> read_surrogate(const Arguments& arguments, const py::tuple& parts) {
  return {weighting_named(arguments, parts[0].cast<std::string>()), parts[1].cast<S>(),
          parts[2].cast<S>(), parts[3].cast<S>(), parts[4].cast<S>()};
}

template <class P>
py::dict climb(const P& policy, py::tuple adam, py::object observations, py::object actions,
               py::object masks, py::object log_probs, py::object advantages, py::object valid,
               py::tuple surrogate, py::object reference, py::object value, Index epochs,
               Index batch_size, double max_gradient_norm, double target_kl, std::uint64_t seed,
               std::uint32_t stream) {
  const Arguments arguments("climb_minibatches");
  const MinibatchSettings settings{arguments.at_least("epochs", epochs, 1),
                                   arguments.at_least("batch_size", batch_size, 1),
                                   max_gradient_norm,
                                   target_kl,
                                   seed,
                                   stream};
  return arguments.dispatch("theta", adam[0], [&]<class S>() {
    const Index Z = policy.network.output_size();
    AdamArguments<S> theta(arguments, adam, policy.network.num_parameters());
    const SampleArguments<S, P> in(arguments, policy, observations, actions, masks, log_probs,
                                   advantages);
    const Shape& leading = in.observations.leading;
    const auto counted =
        arguments.optional<bool>("valid", valid, std::vector<Dim>(leading.begin(), leading.end()));
    const Surrogate<S> climbed = read_surrogate<S>(arguments, surrogate);
    ValueArguments<S> critic(arguments, value, leading);
    const P* prior = nullptr;
    Input<S> prior_theta;
    if (!reference.is_none()) {
      const auto parts = reference.cast<py::tuple>();
      prior = parts[0].cast<const P*>();
      if (prior->network.input_size() != policy.network.input_size() ||
          !same_actions(prior->distribution, policy.distribution)) {
        arguments.fail("the prior is a policy of other observations or actions");
      }
      if (!same_parameters(prior->distribution, policy.distribution)) {
        arguments.fail(
            "the prior has another kind of sigma or another floor, expected the policy's");
      }
      prior_theta = arguments.input<S>("prior.theta", parts[1], {prior->network.num_parameters()});
    }

    MinibatchOutcome outcome;
    auto samples = in.samples();
    const Index count = samples.states.count;
    std::vector<Index> rows;
    rows.reserve(static_cast<std::size_t>(count));
    for (Index b = 0; b < count; ++b) {
      if (!counted.data || counted.data[b]) rows.push_back(b);
    }
    if (rows.empty()) arguments.fail("no sample counts, expected one at least");
    {
      const py::gil_scoped_release release;
      Buffer<S> old_z(climbed.kl_old != S{0} ? count * Z : 0), reference_z(prior ? count * Z : 0);
      if (climbed.kl_old != S{0}) {
        network_outputs(policy.network, static_cast<const S*>(theta.theta.data),
                        samples.states.observations, count, old_z.data());
        samples.old_z = old_z.data();
      }
      if (prior) {
        network_outputs(prior->network, prior_theta.data, samples.states.observations, count,
                        reference_z.data());
        samples.reference_z = reference_z.data();
      }
      const ValueSamples<S> targets{critic.targets.data, critic.old_values.data, critic.clip};
      outcome =
          climb_minibatches(policy, theta.parameters, climbed, samples, std::move(rows),
                            critic.network, critic.network ? &critic.adam->parameters : nullptr,
                            critic.network ? &targets : nullptr, settings);
    }
    py::dict stats;
    stats["surrogate"] = outcome.means.surrogate;
    stats["entropy"] = outcome.means.entropy;
    stats["kl"] = outcome.means.kl;
    stats["clipped"] = outcome.means.clipped;
    if (prior) stats["kl_prior"] = outcome.means.kl_reference;
    if (critic.network) stats["value_loss"] = outcome.value_loss;
    stats["gradient_norm"] = outcome.gradient_norm;
    stats["minibatches"] = static_cast<double>(outcome.minibatches);
    stats["stopped"] = outcome.stopped ? 1.0 : 0.0;
    return stats;
  });
}

template <class P>
void bind_climb(py::module_& m) {
  m.def("climb_minibatches", &climb<P>, py::arg("policy"), py::arg("adam"), py::arg("observations"),
        py::arg("actions"), py::arg("masks"), py::arg("log_probs"), py::arg("advantages"),
        py::arg("valid"), py::arg("surrogate"), py::arg("reference"), py::arg("value"),
        py::arg("epochs"), py::arg("batch_size"), py::arg("max_gradient_norm"),
        py::arg("target_kl"), py::arg("seed"), py::arg("stream"));
}

}  // namespace

void bind_minibatch(py::module_& m) {
  bind_climb<SoftmaxMlp>(m);
  bind_climb<MultiSoftmaxMlp>(m);
  bind_climb<GaussianMlp>(m);
  bind_climb<SoftmaxStateAction>(m);
}

}  // namespace pgfast::bindings
