#include "climbing.hpp"
#include "pgfast/surrogate.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::epsilon;
using check::for_each_climb;

constexpr auto weightings = {Weighting::log_prob, Weighting::ratio, Weighting::clipped};

template <class S, class C>
Array<S> gradient_of(const C& c, const Surrogate<S>& surrogate) {
  Array<S> gradient(c.size);
  surrogate_sums(c.policy, c.theta.data(), surrogate, c.samples(), gradient.data());
  return gradient;
}

template <class S, class C>
SurrogateSums sums_of(const C& c, const Surrogate<S>& surrogate) {
  return surrogate_sums(c.policy, c.theta.data(), surrogate, c.samples(), static_cast<S*>(nullptr));
}

// s of each sample, from the header's formulas.
template <class C>
Array<double> terms(const C& c, Weighting weighting, double clip, const Array<double>& theta) {
  const Array<double> log_prob = c.log_prob(theta);
  Array<double> s(c.B);
  for (Index b = 0; b < c.B; ++b) {
    const double A = c.advantages[b], ratio = std::exp(log_prob[b] - c.log_probs[b]);
    const double held = std::min(std::max(ratio, 1 - clip), 1 + clip);
    s[b] = weighting == Weighting::log_prob ? A * log_prob[b]
           : weighting == Weighting::ratio  ? ratio * A
                                            : std::min(ratio * A, held * A);
  }
  return s;
}

TEST(gradient, "The gradient is that of the mean of L, by finite differences.") {
  for_each_climb<double>(45, 0.15, [](const auto& c) {
    for (const Weighting weighting : weightings) {
      for (const int term : {0, 1, 2, 3, 4}) {  // each term alone, then all of them
        CONTEXT("weighting " << static_cast<int>(weighting) << ", term " << term);
        const Surrogate<double> surrogate{weighting, 0.1, term % 3 == 1 ? 0.7 : 0.0,
                                          term == 2 || term == 4 ? 0.8 : 0.0,
                                          term >= 3 ? 0.9 : 0.0};
        const auto mean = [&](const Array<double>& theta) {
          const Array<double> L = terms(c, weighting, 0.1, theta) +
                                  surrogate.entropy * c.entropy(theta) -
                                  surrogate.kl_old * c.kl(c.old_theta, theta) -
                                  surrogate.kl_reference * c.kl(theta, c.reference_theta);
          return L.mean();
        };
        const auto gradient = gradient_of(c, surrogate);
        const double h = 1e-5;
        for (Index p = 0; p < c.size; ++p) {
          Array<double> up = c.theta, down = c.theta;
          up[p] += h;
          down[p] -= h;
          CHECK_NEAR(gradient[p], (mean(up) - mean(down)) / (2 * h), 1e-7);
        }
      }
    }
  });
}

TEST(sums, "The sums are those of each sample's terms, and the clipped samples are counted.") {
  for_each_climb<double>(600, 0.3, [](const auto& c) {
    const Array<double> ratio =
        (c.log_prob(c.theta) - c.log_probs).map([](double x) { return std::exp(x); });
    Index clipped = 0;
    for (Index b = 0; b < c.B; ++b) {
      clipped += c.advantages[b] > 0 ? ratio[b] > 1.2 : ratio[b] < 0.8;
    }
    CHECK(clipped > 0 && clipped < c.B);
    for (const Weighting weighting : weightings) {
      const Surrogate<double> surrogate{weighting, 0.2, 0, 0, 0};
      const SurrogateSums sums = sums_of(c, surrogate);
      CHECK_NEAR(sums.surrogate, terms(c, weighting, 0.2, c.theta).sum(), 1e-10);
      CHECK_NEAR(sums.entropy, c.entropy(c.theta).sum(), 1e-10);
      CHECK_NEAR(sums.kl, c.kl(c.old_theta, c.theta).sum(), 1e-10);
      CHECK_NEAR(sums.kl_reference, c.kl(c.theta, c.reference_theta).sum(), 1e-10);
      CHECK_EQ(sums.clipped, weighting == Weighting::clipped ? static_cast<double>(clipped) : 0.0);
    }
    // Without pi_old's parameters the divergence is estimated from the samples.
    auto samples = c.samples();
    samples.old_z = nullptr;
    const SurrogateSums sums =
        surrogate_sums(c.policy, c.theta.data(), Surrogate<double>{Weighting::ratio, 0, 0, 0, 0},
                       samples, static_cast<double*>(nullptr));
    const Array<double> estimate = ratio - 1.0 - ratio.map([](double x) { return std::log(x); });
    CHECK_NEAR(sums.kl, estimate.sum(), 1e-9);
  });
}

TEST(at_the_old_policy, "Where pi is pi_old all weightings have the same gradient, bit for bit.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(700, 0.0, [](const auto& c) {
      CHECK_SAME(c.log_prob(c.theta), c.log_probs);
      const auto plain = gradient_of(c, Surrogate<S>{Weighting::log_prob, 0, 0, 0, 0});
      CHECK_SAME(gradient_of(c, Surrogate<S>{Weighting::ratio, 0, 0, 0, 0}), plain);
      CHECK_SAME(gradient_of(c, Surrogate<S>{Weighting::clipped, S(0.2), 0, 0, 0}), plain);
      CHECK_SAME(gradient_of(c, Surrogate<S>{Weighting::ratio, 0, 0, S{3}, 0}), plain);
      const auto sums = sums_of(c, Surrogate<S>{Weighting::clipped, S(0.2), 0, 0, 0});
      CHECK_EQ(sums.kl, 0.0);
      CHECK_EQ(sums.clipped, 0.0);
    });
  });
}

TEST(weighted_score, "The gradient of log_prob's weighting is the mean of the weighted scores.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(600, 0.1, [](const auto& c) {
      Array<S> score(c.size);
      pgfast::score(c.policy, c.theta.data(), c.states(), c.actions.data(), c.advantages.data(),
                    score.data());
      const auto gradient = gradient_of(c, Surrogate<S>{Weighting::log_prob, 0, 0, 0, 0});
      for (Index p = 0; p < c.size; ++p) {
        const double expected = static_cast<double>(score[p]) / static_cast<double>(c.B);
        CHECK_NEAR(gradient[p], expected, 100 * epsilon<S> * (1 + std::abs(expected)));
      }
    });
  });
}

TEST(slices, "A slice of the samples stands for its rows: everything is read from its place.") {
  for_each_climb<double>(77, 0.2, [](const auto& c) {
    using P = typename std::decay_t<decltype(c)>::Policy;
    const Surrogate<double> surrogate{Weighting::clipped, 0.1, 0.2, 0.3, 0.4};
    SurrogateTile<double, P> tile(c.policy, c.theta.data());
    for (const auto& [first, rows] : {std::pair<Index, Index>{0, 32}, {31, 7}, {45, 32}}) {
      std::vector<Index> chosen;
      for (Index r = 0; r < rows; ++r) chosen.push_back(first + r);
      const auto copied = c.rows(chosen);
      Array<double> gradient = Array<double>::zeros(c.size), expected = gradient;
      const auto sums = tile.add(surrogate, detail::slice(c.policy, c.samples(), first, rows), 0.5,
                                 gradient.data());
      const auto of_copy = tile.add(surrogate, copied.samples(), 0.5, expected.data());
      CHECK_SAME(gradient, expected);
      CHECK_EQ(sums.surrogate, of_copy.surrogate);
      CHECK_EQ(sums.entropy, of_copy.entropy);
      CHECK_EQ(sums.kl, of_copy.kl);
      CHECK_EQ(sums.clipped, of_copy.clipped);
      CHECK_EQ(sums.kl_reference, of_copy.kl_reference);
    }
  });
}

TEST(theta_changed, "A tile that is told of a change of theta is as good as a new one.") {
  for_each_climb<double>(20, 0.2, [](auto c) {
    using P = typename std::decay_t<decltype(c)>::Policy;
    const Surrogate<double> surrogate{Weighting::ratio, 0, 0.2, 0.3, 0.4};
    SurrogateTile<double, P> tile(c.policy, c.theta.data());
    Array<double> gradient = Array<double>::zeros(c.size), expected = gradient;
    tile.add(surrogate, c.samples(), 1, gradient.data());
    for (double& each : c.theta) each *= -0.9;
    tile.theta_changed();
    gradient.fill(0);
    tile.add(surrogate, c.samples(), 1, gradient.data());
    SurrogateTile<double, P> fresh(c.policy, c.theta.data());
    fresh.add(surrogate, c.samples(), 1, expected.data());
    CHECK_SAME(gradient, expected);
  });
}

TEST(threads, "Sums and gradient have the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(3001, 0.2, [](const auto& c) {
      const Surrogate<S> surrogate{Weighting::clipped, S(0.1), S(0.2), S(0.3), S(0.4)};
      check::same_on_any_threads([&] {
        const auto sums = sums_of(c, surrogate);
        return std::tuple{
            gradient_of(c, surrogate),
            Array<double>{sums.surrogate, sums.entropy, sums.kl, sums.clipped, sums.kl_reference}};
      });
    });
  });
}

TEST(nan, "A NaN advantage comes out in the sum of the surrogate and in the gradient.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(40, 0.2, [](auto c) {
      c.advantages[17] = std::numeric_limits<S>::quiet_NaN();
      for (const Weighting weighting : weightings) {
        const Surrogate<S> surrogate{weighting, S(0.1), 0, 0, 0};
        CHECK(std::isnan(sums_of(c, surrogate).surrogate));
        CHECK(gradient_of(c, surrogate).is_nan().any());
      }
    });
  });
}

}  // namespace
}  // namespace pgfast
