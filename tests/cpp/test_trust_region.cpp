#include "climbing.hpp"
#include "pgfast/trust_region.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::epsilon;
using check::for_each_climb;

template <class S, class C>
TrustRegionOutcome step(const C& c, Array<S>& theta, const TrustRegion& settings) {
  auto samples = c.samples();
  samples.old_z = nullptr;  // made by the step
  return trust_region_step(c.policy, theta.data(), samples, settings);
}

TrustRegion radius(double kl, double accept = 0.1) {
  return {kl, 1e-3, 1e-10, 200, 10, 0.7, accept};
}

// The mean of (rho - 1) A.
template <class C>
double improvement(const C& c, const Array<double>& theta) {
  const Array<double> log_prob = c.log_prob(theta);
  double sum = 0;
  for (Index b = 0; b < c.B; ++b) {
    sum += (std::exp(log_prob[b] - c.log_probs[b]) - 1) * c.advantages[b];
  }
  return sum / static_cast<double>(c.B);
}

TEST(radius_is_kept,
     "The step never leaves the radius: the exact mean KL over the batch is in it.") {
  Index accepted = 0, shortened = 0;
  for (std::uint64_t seed = 0; seed < 40; seed += 10) {
    for (const double kl_radius : {1e-4, 1e-2, 1.0}) {
      CONTEXT("seed " << seed << ", radius " << kl_radius);
      for_each_climb<double>(
          60, 0.0,
          [&](const auto& c) {
            Array<double> theta = c.theta;
            const auto outcome = step(c, theta, radius(kl_radius));
            const double kl = c.kl(c.theta, theta).mean();
            CHECK(kl <= kl_radius * (1 + 1e-9));
            CHECK_NEAR(outcome.kl, kl, 1e-12);
            CHECK_NEAR(outcome.improvement, improvement(c, theta), 1e-12);
            accepted += outcome.accepted;
            shortened += outcome.backtracks > 0;
          },
          seed);
    }
  }
  CHECK(accepted > 60);
  CHECK(shortened > 5);
}

TEST(first_that_fits,
     "The step taken is the first of c^j step in the radius that brings its own share.") {
  Index later = 0;
  for_each_climb<double>(60, 0.0, [&](const auto& c) {
    for (const double accept : {0.0, 0.5, 0.9}) {
      Array<double> theta = c.theta;
      const TrustRegion settings = radius(0.5, accept);
      const auto outcome = step(c, theta, settings);

      Array<double> gradient(c.size), x(c.size), product(c.size);
      pgfast::score(c.policy, c.theta.data(), c.states(), c.actions.data(), c.advantages.data(),
                    gradient.data());
      for (double& g : gradient) g /= static_cast<double>(c.B);
      natural_gradient(c.policy, c.theta.data(), c.states(), gradient.data(), 1e-3, 1e-10, 200,
                       x.data());
      fisher_vector_product(c.policy, c.theta.data(), c.states(), x.data(), 1e-3, product.data());
      const double length = std::sqrt(2 * 0.5 / dot(x.data(), product.data(), c.size));
      const double expected = length * dot(gradient.data(), x.data(), c.size);
      CHECK_NEAR(outcome.expected, expected, 1e-9 * expected);

      double share = 1;
      for (Index j = 0; j <= settings.max_backtracks; ++j, share *= settings.shrink) {
        const Array<double> tried = c.theta + share * length * x;
        const double gained = improvement(c, tried);
        if (c.kl(c.theta, tried).mean() > 0.5 || gained < accept * share * expected) continue;
        if (gained <= 0) continue;
        CHECK(outcome.accepted);
        CHECK_EQ(outcome.backtracks, j);
        for (Index p = 0; p < c.size; ++p) CHECK_NEAR(theta[p], tried[p], 1e-9);
        later += j > 0;
        break;
      }
    }
  });
  CHECK(later > 0);
}

TEST(length, "Half of the whole step's square in the damped Fisher metric is the radius.") {
  for_each_climb<double>(60, 0.0, [&](const auto& c) {
    Array<double> theta = c.theta;
    const auto outcome = step(c, theta, radius(1e-8));
    CHECK(outcome.accepted);
    CHECK_EQ(outcome.backtracks, 0);
    const Array<double> change = theta - c.theta;
    Array<double> product(c.size);
    fisher_vector_product(c.policy, c.theta.data(), c.states(), change.data(), 1e-3,
                          product.data());
    CHECK_NEAR(0.5 * dot(change.data(), product.data(), c.size), 1e-8, 1e-14);
    CHECK_NEAR(outcome.improvement, outcome.expected, 0.01 * outcome.expected);
  });
}

TEST(restored, "Where no try is accepted theta stays as it was, bit for bit.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(60, 0.0, [](auto c) {
      const auto stays = [&](const TrustRegion& settings) {
        Array<S> theta = c.theta;
        const auto outcome = step(c, theta, settings);
        CHECK_SAME(theta, c.theta);
        CHECK(!outcome.accepted);
        CHECK_EQ(outcome.kl, 0.0);
        CHECK_EQ(outcome.improvement, 0.0);
      };
      stays(radius(0.01, 100));  // asks for more than can be had
      c.advantages.fill(S{0});
      stays(radius(0.01));
      c.advantages.fill(std::numeric_limits<S>::quiet_NaN());
      stays(radius(0.01));
    });
  });
}

TEST(scale, "Advantages of 64 times the size give the same step, bit for bit.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(60, 0.0, [](auto c) {
      Array<S> theta = c.theta, scaled = c.theta;
      step(c, theta, radius(0.01));
      c.advantages = S{64} * c.advantages;
      step(c, scaled, radius(0.01));
      CHECK_SAME(theta, scaled);
    });
  });
}

TEST(threads, "The step has the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(8003, 0.0, [](const auto& c) {
      check::same_on_any_threads([&] {
        Array<S> theta = c.theta;
        const auto outcome = step(c, theta, {0.01, 1e-3, 1e-6, 8, 10, 0.7, 0.1});
        return std::tuple{theta, Array<double>{outcome.kl, outcome.improvement, outcome.expected,
                                               outcome.gradient_norm}};
      });
    });
  });
}

}  // namespace
}  // namespace pgfast
