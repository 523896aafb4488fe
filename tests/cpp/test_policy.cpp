#include "pgfast/policy.hpp"
#include "policies.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::epsilon;
using check::for_each_case;

TEST(network_then_distribution,
     "A policy's numbers are the distribution's at the network's outputs.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(40, [](const auto& c) {
      const Array<S> z = c.logits();
      SoftmaxTile<S> tile(c.policy.distribution);
      for (Index b = 0; b < c.B; ++b) {
        tile.set(z.data() + b * c.A, 1);
        S log_prob, entropy;
        DiscreteAction mode;
        tile.log_prob(c.actions.data() + b, &log_prob);
        tile.entropy(&entropy);
        tile.mode(&mode);
        CHECK_EQ(c.log_prob(c.actions)[b], log_prob);
        CHECK_EQ(c.entropy()[b], entropy);
        CHECK_EQ(c.mode()[b], mode);
      }
    });
  });
}

TEST(score_is_the_gradient, "The score is the gradient of the weighted sum of log pi.") {
  for_each_case<double>(37, [](const auto& c) {
    const double h = 1e-5;
    for (const bool weighted : {false, true}) {
      const Array<double> w = weighted ? c.weights : Array<double>::ones(c.B);
      const auto score = c.score(weighted ? c.weights.data() : nullptr);
      for (Index p = 0; p < c.size; ++p) {
        Array<double> up = c.theta, down = c.theta;
        up[p] += h;
        down[p] -= h;
        const Array<double> difference =
            w * (c.log_prob(up, c.actions) - c.log_prob(down, c.actions));
        CHECK_NEAR(score[p], difference.sum() / (2 * h), 1e-7);
      }
    }
  });
}

TEST(score_of_scores, "The score is the weighted sum of each sample's score.") {
  check::for_each_scalar([]<class S>() {
    for (const Index batch : {1, 37, 1100}) {
      for_each_case<S>(batch, [](const auto& c) {
        const Array<S> each = c.scores(c.actions), score = c.score(c.weights.data());
        for (Index p = 0; p < c.size; ++p) {
          double sum = 0, magnitude = 0;
          for (Index b = 0; b < c.B; ++b) {
            const double term =
                static_cast<double>(c.weights[b]) * static_cast<double>(each[b * c.size + p]);
            sum += term;
            magnitude += std::abs(term);
          }
          CHECK_NEAR(score[p], sum, epsilon<S> * (100 + static_cast<double>(c.B)) * magnitude);
        }
      });
    }
  });
}

TEST(no_weights, "No weights are weights of 1, and weights of 2 double the score.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(1100, [](const auto& c) {
      const Array<S> ones = Array<S>::ones(c.B), twos = S{2} * ones;
      CHECK_SAME(c.score(nullptr), c.score(ones.data()));
      CHECK_SAME((S{2} * c.score(nullptr)), c.score(twos.data()));
    });
  });
}

TEST(zero_mean_score, "Under pi the score's mean is zero in every state, by enumeration.") {
  for_each_case<double>(37, [](const auto& c) {
    Array<double> mean = Array<double>::zeros(c.B * c.size);
    for (Index a = 0; a < c.A; ++a) {
      const Array<double> pi = c.log_prob(c.all(a)).map([](double x) { return std::exp(x); });
      const Array<double> scores = c.scores(c.all(a));
      for (Index i = 0; i < mean.size(); ++i) mean[i] += pi[i / c.size] * scores[i];
    }
    for (const double each : mean) CHECK_NEAR(each, 0, 1e-14);
  });
}

// mean_b sum_a pi(a|s_b) score score', (P, P)
template <class C>
Array<double> dense_fisher(const C& c) {
  Array<double> F = Array<double>::zeros(c.size * c.size);
  for (Index a = 0; a < c.A; ++a) {
    const auto log_pi = c.log_prob(c.all(a)), scores = c.scores(c.all(a));
    for (Index b = 0; b < c.B; ++b) {
      const double pi = std::exp(static_cast<double>(log_pi[b]));
      for (Index p = 0; p < c.size; ++p) {
        for (Index q = 0; q < c.size; ++q) {
          F[p * c.size + q] += pi * static_cast<double>(scores[b * c.size + p]) *
                               static_cast<double>(scores[b * c.size + q]);
        }
      }
    }
  }
  return F / static_cast<double>(c.B);
}

TEST(fisher,
     "The Fisher-vector product is the dense Fisher matrix times v, plus damping times v.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(75, [](const auto& c) {
      const Array<double> F = dense_fisher(c);
      for (const S damping : {S{0}, S(0.3)}) {
        const Array<S> Fv = c.fisher(c.v, damping);
        for (Index p = 0; p < c.size; ++p) {
          double expected = static_cast<double>(damping) * static_cast<double>(c.v[p]);
          double magnitude = std::abs(expected);
          for (Index q = 0; q < c.size; ++q) {
            const double term = F[p * c.size + q] * static_cast<double>(c.v[q]);
            expected += term;
            magnitude += std::abs(term);
          }
          CHECK_NEAR(Fv[p], expected, 200 * epsilon<S> * (1 + magnitude));
        }
      }
    });
  });
}

TEST(fisher_form, "The Fisher matrix is symmetric and positive semi-definite.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(1100, [](const auto& c) {
      for (std::uint64_t seed = 10; seed < 20; ++seed) {
        const Array<S> u = check::normals<S>(c.size, seed);
        const Array<S> Fu = c.fisher(u), Fv = c.fisher(c.v);
        const double uFv = dot(u.data(), Fv.data(), c.size),
                     vFu = dot(c.v.data(), Fu.data(), c.size);
        const double scale = dot(Array<S>(u.abs()).data(), Array<S>(Fv.abs()).data(), c.size) + 1;
        CHECK_NEAR(uFv, vFu, 200 * epsilon<S> * scale);
        CHECK(dot(u.data(), Fu.data(), c.size) >= 0);
      }
    });
  });
}

TEST(kl_curvature, "To second order the mean KL of a step h v is half of h^2 v'Fv.") {
  for_each_case<double>(200, [](const auto& c) {
    const double h = 1e-3;
    const auto mean_kl = [&](double t) { return c.kl(c.theta + t * c.v).mean(); };
    const Array<double> Fv = c.fisher(c.v);
    const double vFv = dot(c.v.data(), Fv.data(), c.size);
    CHECK_NEAR((mean_kl(h) + mean_kl(-h)) / (h * h), vFv, 1e-4 * vFv);
    CHECK((c.kl(c.theta) == 0).all());
    CHECK((c.kl(c.theta + c.v) >= 0).all());
  });
}

TEST(natural_gradient_solves, "F plus damping times the natural gradient is the gradient.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(600, [](const auto& c) {
      const Array<S> g = c.score(c.weights.data());
      Array<S> x(c.size);
      const double tolerance = 100 * epsilon<S>;
      const auto outcome = natural_gradient(c.policy, c.theta.data(), c.states(), g.data(), 0.1,
                                            tolerance, 200, x.data());
      CHECK_EQ(outcome.status, CGStatus::converged);
      const Array<S> residual = c.fisher(x, S(0.1)) - g;
      CHECK(std::sqrt(dot(residual.data(), residual.data(), c.size)) <=
            4 * tolerance * std::sqrt(dot(g.data(), g.data(), c.size)));
    });
  });
}

TEST(samples_alone, "A sample's numbers have the same bits alone and in any batch.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(1100, [](const auto& c) {
      const auto log_prob = c.log_prob(c.actions), entropy = c.entropy(),
                 scores = c.scores(c.actions);
      for (Index b = 0; b < c.B; b += 37) {
        auto one = c;
        one.B = 1;
        one.observations = c.observations.segment(b * c.D, c.D);
        one.actions = c.actions.segment(b, 1);
        CHECK_EQ(one.log_prob(one.actions)[0], log_prob[b]);
        CHECK_EQ(one.entropy()[0], entropy[b]);
        CHECK_SAME(one.score(nullptr), scores.segment(b * c.size, c.size));
      }
    });
  });
}

TEST(threads, "Every function of a policy has the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(8003, [](const auto& c) {
      const Array<S> g = c.score(c.weights.data());
      check::same_on_any_threads([&] { return std::tuple{c.score(c.weights.data())}; });
      check::same_on_any_threads([&] { return std::tuple{c.score(nullptr)}; });
      check::same_on_any_threads([&] { return std::tuple{c.scores(c.actions)}; });
      check::same_on_any_threads([&] { return std::tuple{c.fisher(c.v, S(0.1))}; });
      check::same_on_any_threads([&] { return std::tuple{c.logits()}; });
      check::same_on_any_threads([&] { return std::tuple{c.log_prob(c.actions)}; });
      check::same_on_any_threads([&] { return std::tuple{c.entropy()}; });
      check::same_on_any_threads([&] { return std::tuple{c.mode()}; });
      check::same_on_any_threads([&] { return std::tuple{c.kl(c.theta + c.v)}; });
      check::same_on_any_threads([&] {
        Array<S> x(c.size);
        natural_gradient(c.policy, c.theta.data(), c.states(), g.data(), 0.1, 1e-4, 5, x.data());
        return std::tuple{x};
      });
    });
  });
}

TEST(any_address, "Wherever the arrays lie in memory, the bits are the same.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(700, [](const auto& c) {
      const Array<S> g = c.score(c.weights.data()), Fv = c.fisher(c.v, S(0.1)),
                     log_prob = c.log_prob(c.actions), scores = c.scores(c.actions);
      Array<S> x(c.size);
      natural_gradient(c.policy, c.theta.data(), c.states(), g.data(), 0.1, 1e-4, 5, x.data());
      for (Index shift = 1; shift < 16; shift += 2) {
        CONTEXT("shift " << shift);
        check::Shifted<S> theta(c.theta, shift), observations(c.observations, 16 - shift),
            weights(c.weights, shift), v(c.v, 16 - shift), g_at(g, shift);
        check::Shifted<DiscreteAction> actions(c.actions, shift);
        const States<S> states{observations.data(), c.B};
        check::Shifted<S> out(Array<S>::zeros(c.size), 16 - shift),
            rows(Array<S>::zeros(c.B), shift), matrix(Array<S>::zeros(c.B * c.size), shift);
        score(c.policy, theta.data(), states, actions.data(), weights.data(), out.data());
        CHECK_SAME(out.values(), g);
        fisher_vector_product(c.policy, theta.data(), states, v.data(), S(0.1), out.data());
        CHECK_SAME(out.values(), Fv);
        pgfast::log_prob(c.policy, theta.data(), states, actions.data(), rows.data());
        CHECK_SAME(rows.values(), log_prob);
        pgfast::scores(c.policy, theta.data(), states, actions.data(), matrix.data());
        CHECK_SAME(matrix.values(), scores);
        natural_gradient(c.policy, theta.data(), states, g_at.data(), 0.1, 1e-4, 5, out.data());
        CHECK_SAME(out.values(), x);
      }
    });
  });
}

TEST(weights_of_zero,
     "Whole tiles of weight zero, the padding behind episodes, are not looked at.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(500, [](auto c) {
      Array<S> w = c.weights;
      w.fill(128, 256, S{0});
      const auto expected = c.score(w.data());
      c.observations.fill(128 * c.D, 256 * c.D, std::numeric_limits<S>::quiet_NaN());
      CHECK_SAME(c.score(w.data()), expected);
    });
  });
}

TEST(nan_samples,
     "A NaN observation comes out in its own numbers, and in every sum over samples.") {
  check::for_each_scalar([]<class S>() {
    for_each_case<S>(70, [](auto c) {
      c.observations.fill(33 * c.D, c.D, std::numeric_limits<S>::quiet_NaN());
      const auto log_prob = c.log_prob(c.actions), entropy = c.entropy();
      for (Index b = 0; b < c.B; ++b) {
        CHECK_EQ(std::isnan(log_prob[b]), b == 33);
        CHECK_EQ(std::isnan(entropy[b]), b == 33);
      }
      CHECK(c.score(nullptr).is_nan().all());
      CHECK(c.fisher(c.v).is_nan().all());
      CHECK((c.mode() >= 0).all() && (c.mode() < c.A).all());
    });
  });
}

}  // namespace
}  // namespace pgfast
