#include "pgfast/policy_actor.hpp"
#include "policies.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::for_each_case;

template <class C>
Array<DiscreteAction> sample(const C& c, std::uint64_t seed, std::uint32_t stream,
                             std::uint64_t index) {
  Array<DiscreteAction> out(c.B);
  pgfast::sample(c.policy, c.theta.data(), c.states(), seed, stream, index, out.data());
  return out;
}

TEST(row_streams, "Row b draws from stream `first_stream + b`: alone it takes the same action.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(1100, [](const auto& c) {
      const auto sampled = sample(c, 6, 100, 7);
      for (Index b = 0; b < c.B; b += 37) {
        auto one = c;
        one.B = 1;
        one.observations = c.observations.segment(b * c.D, c.D);
        CHECK_EQ(sample(one, 6, 100 + static_cast<std::uint32_t>(b), 7)[0], sampled[b]);
      }
      CHECK((sample(c, 6, 100, 8) != sampled).any());
      CHECK((sample(c, 7, 100, 7) != sampled).any());
    });
  });
}

TEST(inverse_cdf, "The draw is the distribution's at the uniform of purpose `action`.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(70, [](const auto& c) {
      const auto z = c.logits();
      const auto sampled = sample(c, 6, 100, 7);
      SoftmaxTile<S> tile(c.policy.distribution);
      for (Index b = 0; b < c.B; ++b) {
        const S u = uniform<S>(6, Purpose::action, static_cast<std::uint32_t>(100 + b), 7);
        DiscreteAction expected;
        tile.set(z.data() + b * c.A, 1);
        tile.sample(&u, &expected);
        CHECK_EQ(sampled[b], expected);
      }
    });
  });
}

TEST(threads, "Samples are the same on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(8003, [](const auto& c) {
      check::same_on_any_threads([&] { return std::tuple{sample(c, 6, 100, 7)}; });
    });
  });
}

TEST(actors,
     "An actor takes sample's actions or mode's, with their log-probabilities; so do clones.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(70, [](const auto& c) {
      using P = std::decay_t<decltype(c.policy)>;
      const auto sampled = sample(c, 8, 40, 9), modes = c.mode();
      const auto sampled_log_prob = c.log_prob(sampled), mode_log_prob = c.log_prob(modes);
      const auto check_actor = [&](Actor<S, DiscreteAction>& actor, const auto& actions,
                                   const auto& log_probs) {
        for (const auto& [first, rows] : {std::pair<Index, Index>{0, 32}, {30, 1}, {38, 32}}) {
          const S* observations = c.observations.data() + first * c.D;
          const auto stream = static_cast<std::uint32_t>(40 + first);
          Array<DiscreteAction> a(rows);
          Array<S> log_prob(rows);
          for (int again = 0; again < 2; ++again) {
            actor.act(observations, rows, stream, 9, a.data(), log_prob.data());
            CHECK_SAME(a, actions.segment(first, rows));
            CHECK_SAME(log_prob, log_probs.segment(first, rows));
          }
          actor.act(observations, rows, stream, 9, a.data(), nullptr);
          CHECK_SAME(a, actions.segment(first, rows));
        }
      };
      SamplingActor<S, P> sampling(c.policy, c.theta.data(), 8);
      GreedyActor<S, P> greedy(c.policy, c.theta.data());
      check_actor(sampling, sampled, sampled_log_prob);
      check_actor(*sampling.clone(), sampled, sampled_log_prob);
      check_actor(greedy, modes, mode_log_prob);
      check_actor(*greedy.clone(), modes, mode_log_prob);
    });
  });
}

TEST(nan, "A NaN observation gives an action that exists, and disturbs no other row.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(70, [](auto c) {
      const auto expected = sample(c, 6, 100, 7);
      c.observations.fill(33 * c.D, c.D, std::numeric_limits<S>::quiet_NaN());
      const auto sampled = sample(c, 6, 100, 7);
      CHECK((sampled >= 0).all() && (sampled < c.A).all());
      for (Index b = 0; b < c.B; ++b) {
        if (b != 33) CHECK_EQ(sampled[b], expected[b]);
      }
    });
  });
}

// Six standard errors: by chance one count fails once in 10^8 seeds.
TEST(frequencies, "Actions are drawn as often as pi says.") {
  check::for_each_scalar([]<class S>() {
    check::Case<S, check::SoftmaxMlp> c(check::mlp_policy({3, 5, 3}), 40000);
    for (Index b = 1; b < c.B; ++b) c.observations.set(b * c.D, c.observations.head(c.D));
    const auto sampled = sample(c, 1, 0, 0);
    for (Index a = 0; a < c.A; ++a) {
      const double pi = std::exp(static_cast<double>(c.log_prob(c.all(a))[0]));
      const double n = static_cast<double>(c.B);
      CHECK_NEAR((sampled == a).count(), n * pi, 6 * std::sqrt(n * pi * (1 - pi)));
    }
  });
}

}  // namespace
}  // namespace pgfast
