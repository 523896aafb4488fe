// Constructors of tabular environments, bandits and games.
#include <numeric>

#include "env_constructors.hpp"
#include "pgfast/envs/bandit.hpp"
#include "pgfast/envs/rock_paper_scissors.hpp"
#include "pgfast/envs/tabular.hpp"

namespace pgfast::bindings {
namespace {

// Cumulated probabilities. From the last positive one on they are 2, above every draw: rounding
// leaves no gap at the end.
std::vector<double> cumulated(const double* probabilities, Index count) {
  std::vector<double> sums(static_cast<std::size_t>(count));
  std::partial_sum(probabilities, probabilities + count, sums.begin());
  Index last = count - 1;
  while (last > 0 && !(probabilities[last] > 0)) --last;
  std::fill(sums.begin() + last, sums.end(), 2.0);
  return sums;
}

// `first` (S * A + 1) tells where the outcomes of state s and action a begin: at first[s * A + a].
template <class S>
auto tabular(Index num_envs, Index limit, Index actions, py::object first, py::object next,
             py::object probability, py::object reward, py::object terminated, py::object start) {
  const Arguments arguments("make('Tabular-v0')");
  const auto p0 = arguments.finite_input<double>("start", start, {"S"});
  const Index states = p0.shape[0], pairs = states * actions;
  const auto begins = arguments.input<std::int64_t>("first", first, {pairs + 1});
  const auto p = arguments.finite_input<double>("probability", probability, {"outcomes"});
  const Index count = p.shape[0];
  const auto to = arguments.input<std::int64_t>("next", next, {count});
  const auto r = arguments.finite_input<double>("reward", reward, {count});
  const auto ends = arguments.input<bool>("terminated", terminated, {count});
  bool fits = begins.data[0] == 0 && begins.data[pairs] == count;
  for (Index i = 0; i < pairs; ++i) fits = fits && begins.data[i] < begins.data[i + 1];
  if (!fits) arguments.fail("first does not cut the outcomes into one part for each pair");
  for (Index k = 0; k < count; ++k) {
    if (to.data[k] < 0 || to.data[k] >= states) {
      arguments.fail("next holds " + std::to_string(to.data[k]) + ", expected 0 <= state < " +
                     std::to_string(states));
    }
  }

  auto table = std::make_shared<OutcomeTable<S>>();
  table->states = states;
  table->actions = actions;
  table->first.assign(begins.data, begins.data + pairs + 1);
  for (Index pair = 0; pair < pairs; ++pair) {
    const Index begin = begins.data[pair], end = begins.data[pair + 1];
    const auto sums = cumulated(p.data + begin, end - begin);
    for (Index k = begin; k < end; ++k) {
      table->outcomes.push_back({static_cast<S>(sums[static_cast<std::size_t>(k - begin)]),
                                 static_cast<S>(p.data[k]), static_cast<S>(r.data[k]),
                                 static_cast<std::int32_t>(to.data[k]), ends.data[k]});
    }
  }
  for (const double sum : cumulated(p0.data, states)) table->start.push_back(static_cast<S>(sum));
  return with_actions(Tabular<S>{std::move(table)}, num_envs, limit, actions);
}

template <class S>
auto bandit(Index num_envs, Index limit, py::object weights, double sigma, double low,
            double high) {
  const Arguments arguments("make('ContextualBandit-v0')");
  const auto w = arguments.finite_input<double>("weights", weights, {"arms", "d"});
  return with_actions(Bandit<S>{w.shape[0], w.shape[1], numbers<S>(w), static_cast<S>(sigma),
                                static_cast<S>(low), static_cast<S>(high)},
                      num_envs, limit, w.shape[0]);
}

template <class S>
void bind_constructors(py::module_& m) {
  bind_constructor<S>(m, "tabular", &tabular<S>, py::arg("actions"), py::arg("first"),
                      py::arg("next"), py::arg("probability"), py::arg("reward"),
                      py::arg("terminated"), py::arg("start"));
  bind_constructor<S>(m, "bandit", &bandit<S>, py::arg("weights"), py::arg("sigma"), py::arg("low"),
                      py::arg("high"));
  bind_constructor<S>(
      m, "rock_paper_scissors",
      [](Index n, Index limit, Index memory) {
        return with_actions(RockPaperScissors<S>{memory}, n, limit, RockPaperScissors<S>::moves);
      },
      py::arg("memory"));
}

}  // namespace

void bind_finite_envs(py::module_& m) {
  bind_constructors<float>(m);
  bind_constructors<double>(m);
}

}  // namespace pgfast::bindings
