// Policies with a batch of samples, their functions as functions of arrays.
#pragma once

#include <limits>

#include "check.hpp"
#include "pgfast/distributions/softmax.hpp"
#include "pgfast/fisher.hpp"
#include "pgfast/networks/mlp.hpp"
#include "pgfast/networks/state_action_linear.hpp"

namespace check {

using namespace pgfast;

using SoftmaxMlp = Policy<Mlp, Softmax>;
using SoftmaxFeatures = Policy<StateActionLinear, Softmax>;

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());

template <class S, class P>
struct Case {
  P policy;
  Index B, D, A, size;
  Array<S> theta, observations, weights, v;
  Array<DiscreteAction> actions;

  Case(P p, Index batch)
      : policy(std::move(p)),
        B(batch),
        D(policy.network.input_size()),
        A(policy.network.output_size()),
        size(policy.network.num_parameters()),
        theta(normals<S>(size, 1, 0.5)),
        observations(normals<S>(B * D, 2)),
        weights(normals<S>(B, 3)),
        v(normals<S>(size, 4)),
        actions(integers(B, A, 5)) {}

  States<S> states() const { return {observations.data(), B}; }
  Array<DiscreteAction> all(Index action) const {
    return Array<DiscreteAction>::constant(B, action);
  }
  Array<S> log_prob(const Array<S>& at, const Array<DiscreteAction>& a) const {
    Array<S> out(B);
    pgfast::log_prob(policy, at.data(), states(), a.data(), out.data());
    return out;
  }
  Array<S> log_prob(const Array<DiscreteAction>& a) const { return log_prob(theta, a); }
  Array<S> entropy() const {
    Array<S> out(B);
    pgfast::entropy(policy, theta.data(), states(), out.data());
    return out;
  }
  Array<S> logits() const {
    Array<S> out(B * A);
    network_outputs(policy.network, theta.data(), observations.data(), B, out.data());
    return out;
  }
  Array<S> kl(const Array<S>& other) const {
    Array<S> out(B);
    pgfast::kl(policy, theta.data(), policy, other.data(), states(), out.data());
    return out;
  }
  Array<S> score(const S* w) const {
    Array<S> out(size);
    pgfast::score(policy, theta.data(), states(), actions.data(), w, out.data());
    return out;
  }
  Array<S> scores(const Array<DiscreteAction>& a) const {  // (B, P)
    Array<S> out(B * size);
    pgfast::scores(policy, theta.data(), states(), a.data(), out.data());
    return out;
  }
  Array<S> fisher(const Array<S>& along, S damping = S{0}) const {
    Array<S> out(size);
    fisher_vector_product(policy, theta.data(), states(), along.data(), damping, out.data());
    return out;
  }
  Array<DiscreteAction> mode() const {
    Array<DiscreteAction> out(B);
    pgfast::mode(policy, theta.data(), states(), out.data());
    return out;
  }
};

inline SoftmaxMlp mlp_policy(const std::vector<Index>& sizes,
                             Activation activation = Activation::tanh) {
  return {Mlp(sizes, activation), Softmax{sizes.back()}};
}

// f(case) for small policies of each kind.
template <class S, class F>
void for_each_case(Index batch, F&& f) {
  {
    const Context at("linear");
    f(Case<S, SoftmaxMlp>(mlp_policy({4, 2}), batch));
  }
  {
    const Context at("mlp");
    f(Case<S, SoftmaxMlp>(mlp_policy({3, 5, 3}), batch));
  }
  {
    const Context at("relu");
    f(Case<S, SoftmaxMlp>(mlp_policy({3, 5, 3}, Activation::relu), batch));
  }
  const Context at("state-action features");
  f(Case<S, SoftmaxFeatures>({StateActionLinear(3, 7), Softmax{3}}, batch));
}

}  // namespace check
