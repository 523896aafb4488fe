#include "pgfast/ridge_regression.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

// Samples (n, J) with targets, those that count, and their regression.
struct Samples {
  Index n, J;
  Array<double> x, y;
  Array<bool> counts;

  Samples(Index samples, Index regressors, double count_probability = 1)
      : n(samples),
        J(regressors),
        x(check::normals<double>(n * J, 1)),
        y(check::normals<double>(n, 2)),
        counts(check::flags(n, count_probability, 3)) {}

  std::pair<Array<double>, RidgeOutcome> fit(double ridge) const {
    auto weights = Array<double>::constant(J + 1, 99);
    const auto read = [this](Index i, double* row) {
      if (!counts[i]) return false;
      std::copy_n(x.data() + i * J, J, row);
      row[J] = y[i];
      return true;
    };
    const RidgeOutcome outcome =
        ridge_regression(n, J, ridge, [&] { return by_samples(J, read); }, weights.data());
    return {weights, outcome};
  }
  double residual(const Array<double>& weights, Index i) const {
    double left = weights[J] - y[i];
    for (Index j = 0; j < J; ++j) left += weights[j] * x[i * J + j];
    return left;
  }
};

TEST(stationary, "At the solution the gradient of the penalised sum of squares is zero.") {
  for (const Index n : {1, 31, 33, 700, 5000}) {
    for (const Index J : {1, 4, 33}) {
      for (const double ridge : {1e-3, 1.0, 1e4}) {
        for (const double p : {1.0, 0.6}) {
          CONTEXT("n " << n << ", J " << J << ", ridge " << ridge << ", p " << p);
          const Samples s(n, J, p);
          const auto [weights, outcome] = s.fit(ridge);
          CHECK_EQ(outcome.samples, s.counts.count());
          if (outcome.samples == 0) continue;
          CHECK_EQ(outcome.damping, 0.0);
          Array<double> gradient = Array<double>::zeros(J + 1);
          for (Index i = 0; i < n; ++i) {
            if (!s.counts[i]) continue;
            const double left = s.residual(weights, i);
            for (Index j = 0; j < J; ++j) gradient[j] += left * s.x[i * J + j];
            gradient[J] += left;
          }
          for (Index j = 0; j < J; ++j) gradient[j] += ridge * weights[j];
          CHECK(gradient.abs().max() < 1e-13 * static_cast<double>(n + 10) * (1 + ridge));
        }
      }
    }
  }
}

TEST(no_sample, "Where no sample counts the weights are left alone.") {
  const auto [weights, outcome] = Samples(100, 3, 0).fit(1);
  CHECK_EQ(outcome.samples, 0);
  for (const double w : weights) CHECK_EQ(w, 99.0);
}

TEST(singular, "Regressors that are combinations of others are damped, and only then.") {
  Samples s(200, 4);
  CHECK_EQ(s.fit(0).second.damping, 0.0);
  for (Index i = 0; i < s.n; ++i) {
    s.x[i * 4 + 2] = 1e6 * s.x[i * 4];  // whatever the units
    s.x[i * 4 + 3] = 0.1;
    s.y[i] = 3 * s.x[i * 4] + 7;
  }
  const auto [weights, outcome] = s.fit(0);
  CHECK(outcome.damping > 0 && outcome.damping < 1e-8);
  CHECK_EQ(weights[3], 0.0);
  for (Index i = 0; i < s.n; ++i) CHECK_NEAR(s.residual(weights, i), 0, 1e-7);
}

TEST(nan, "A NaN among the samples comes out.") {
  Samples s(100, 3);
  s.x[50] = std::numeric_limits<double>::quiet_NaN();
  CHECK(s.fit(1).first.is_nan().any());
  Samples t(100, 3);
  t.y[50] = std::numeric_limits<double>::infinity();
  CHECK(!t.fit(1).first.is_finite().all());
}

TEST(threads, "The weights have the same bits on 1 to 4 threads.") {
  const Samples s(20000, 9, 0.7);
  check::same_on_any_threads([&] { return std::tuple{s.fit(1e-5).first}; });
}

}  // namespace
}  // namespace pgfast
