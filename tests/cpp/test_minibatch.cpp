#include "climbing.hpp"
#include "pgfast/conjugate_gradient.hpp"
#include "pgfast/minibatch.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::epsilon;
using check::for_each_climb;

constexpr double infinity = std::numeric_limits<double>::infinity();

// A parameter vector of the test's own with Adam's state.
template <class S>
struct Parameters {
  Array<S> theta, m, v;
  AdamParameters<S> adam;

  explicit Parameters(const Array<S>& start, S learning_rate = S(0.01), S adam_epsilon = S(1e-8))
      : theta(start),
        m(Array<S>::zeros(start.size())),
        v(Array<S>::zeros(start.size())),
        adam{theta.data(),  m.data(), v.data(), start.size(), 0,
             learning_rate, S(0.9),   S(0.999), adam_epsilon} {}
  Parameters(const Parameters&) = delete;

  // A step up (sign 1) or down (-1) the gradient.
  void step(const Array<S>& gradient, S sign) {
    adam_step(theta.data(), gradient.data(), m.data(), v.data(), adam.size, ++adam.count,
              sign * adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon);
  }
};

std::vector<Index> all_rows(Index count) {
  std::vector<Index> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows;
}

// Minibatches without a value function.
template <class S, class C>
MinibatchOutcome climb(const C& c, Parameters<S>& theta, const Surrogate<S>& surrogate,
                       const MinibatchSettings& settings, std::vector<Index> rows) {
  return climb_minibatches(c.policy, theta.adam, surrogate, c.samples(), std::move(rows),
                           static_cast<const Preprocessed*>(nullptr),
                           static_cast<AdamParameters<S>*>(nullptr),
                           static_cast<const ValueSamples<S>*>(nullptr), settings);
}

template <class S>
constexpr Surrogate<S> everything{Weighting::clipped, S(0.2), S(0.1), S(0.3), S(0.2)};

TEST(one_minibatch, "One minibatch is one step of Adam up the gradient of the whole batch.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(100, 0.0, [](const auto& c) {
      const Surrogate<S> plain{Weighting::log_prob, 0, 0, 0, 0};
      Parameters<S> climbed(c.theta), expected(c.theta);
      const auto outcome =
          climb(c, climbed, plain, {1, 1000, infinity, infinity, 1, 2}, all_rows(c.B));
      Array<S> gradient(c.size);
      const auto sums =
          surrogate_sums(c.policy, c.theta.data(), plain, c.samples(), gradient.data());
      expected.step(gradient, 1);
      CHECK_SAME(climbed.theta, expected.theta);
      CHECK_SAME(climbed.m, expected.m);
      CHECK_SAME(climbed.v, expected.v);
      CHECK_EQ(climbed.adam.count, 1);
      CHECK_EQ(outcome.minibatches, 1);
      CHECK(!outcome.stopped);
      CHECK_NEAR(outcome.means.surrogate, sums.surrogate / 100, 1e-12);
      CHECK_NEAR(outcome.gradient_norm, std::sqrt(dot(gradient.data(), gradient.data(), c.size)),
                 10 * epsilon<S>);
    });
  });
}

TEST(epochs, "Each epoch takes the samples in a new random order, cut into minibatches.") {
  for_each_climb<double>(150, 0.2, [](const auto& c) {
    Parameters<double> climbed(c.theta), expected(c.theta);
    const MinibatchSettings settings{3, 40, infinity, infinity, 11, 5};
    const auto outcome = climb(c, climbed, everything<double>, settings, all_rows(c.B));
    std::vector<Index> order = all_rows(c.B);
    double entropy = 0;
    for (Index epoch = 0; epoch < 3; ++epoch) {
      shuffle(order.data(), c.B, 11, 5, static_cast<std::uint64_t>(epoch * c.B));
      entropy = 0;
      for (Index begin = 0; begin < c.B; begin += 40) {
        const auto end = order.begin() + std::min(c.B, begin + 40);
        auto minibatch = c.rows({order.begin() + begin, end});
        minibatch.theta = expected.theta;
        Array<double> gradient(c.size);
        entropy += surrogate_sums(c.policy, minibatch.theta.data(), everything<double>,
                                  minibatch.samples(), gradient.data())
                       .entropy;
        expected.step(gradient, 1);
      }
    }
    CHECK_EQ(outcome.minibatches, 12);
    for (Index p = 0; p < c.size; ++p) CHECK_NEAR(climbed.theta[p], expected.theta[p], 1e-12);
    CHECK_NEAR(outcome.means.entropy, entropy / 150, 1e-12);
  });
}

TEST(some_rows, "Samples that are not among the rows play no part, whatever they hold.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(90, 0.2, [](auto c) {
      std::vector<Index> odd;
      for (Index b = 1; b < c.B; b += 2) odd.push_back(b);
      const auto alone = c.rows(odd);
      for (Index b = 0; b < c.B; b += 2) {
        c.advantages[b] = std::numeric_limits<S>::quiet_NaN();
        c.observations.fill(b * c.D, c.D, std::numeric_limits<S>::quiet_NaN());
      }
      const MinibatchSettings settings{1, 1000, infinity, infinity, 3, 0};
      Parameters<S> some(c.theta), expected(c.theta);
      climb(c, some, everything<S>, settings, odd);
      climb(alone, expected, everything<S>, settings, all_rows(alone.B));
      CHECK_SAME(some.theta, expected.theta);
    });
  });
}

TEST(target_kl,
     "A minibatch whose divergence is above its limit ends everything, without a step.") {
  for_each_climb<double>(100, 0.0, [](const auto& c) {
    Parameters<double> stopped(c.theta, 0.05), once(c.theta, 0.05), far(c.theta, 0.05);
    const auto outcome =
        climb(c, stopped, everything<double>, {5, 100, infinity, 0.0, 1, 0}, all_rows(c.B));
    climb(c, once, everything<double>, {1, 100, infinity, infinity, 1, 0}, all_rows(c.B));
    CHECK(outcome.stopped);
    CHECK_EQ(outcome.minibatches, 1);
    CHECK(outcome.means.kl > 0);
    CHECK_SAME(stopped.theta, once.theta);
    const auto all =
        climb(c, far, everything<double>, {5, 100, infinity, 1e3, 1, 0}, all_rows(c.B));
    CHECK(!all.stopped);
    CHECK_EQ(all.minibatches, 5);
  });
}

// Adam with a huge epsilon is a plain step: alpha g / epsilon on its first step.
TEST(max_gradient_norm,
     "A longer gradient is shortened to the limit, a shorter one is left alone.") {
  for_each_climb<double>(100, 0.2, [](const auto& c) {
    Array<double> gradient(c.size);
    surrogate_sums(c.policy, c.theta.data(), everything<double>, c.samples(), gradient.data());
    const double norm = std::sqrt(dot(gradient.data(), gradient.data(), c.size));
    for (const double limit : {0.3 * norm, 2 * norm}) {
      Parameters<double> climbed(c.theta, 1e6, 1e6);
      const auto outcome =
          climb(c, climbed, everything<double>, {1, 100, limit, infinity, 1, 0}, all_rows(c.B));
      CHECK_NEAR(outcome.gradient_norm, norm, 1e-12 * norm);
      const double factor = std::min(1.0, limit / norm);
      for (Index p = 0; p < c.size; ++p) {
        CHECK_NEAR(climbed.theta[p] - c.theta[p], factor * gradient[p], 1e-5 * norm);
      }
    }
  });
}

TEST(clipped_error,
     "dz is the derivative of the error: of the larger one, where values are held.") {
  const Index rows = tile_rows;
  const auto values = check::normals<double>(rows, 1), targets = check::normals<double>(rows, 2),
             old = check::normals<double>(rows, 3);
  const double clip = 0.4, h = 1e-6;
  const auto error = [&](double v, Index r, bool clipped) {
    const double plain = 0.5 * (v - targets[r]) * (v - targets[r]);
    if (!clipped) return plain;
    const double held = std::min(std::max(v, old[r] - clip), old[r] + clip);
    return std::max(plain, 0.5 * (held - targets[r]) * (held - targets[r]));
  };
  Index held = 0;
  for (const bool clipped : {false, true}) {
    Array<double> dz(rows);
    const double sum = detail::clipped_value_error(
        values.data(), targets.data(), clipped ? old.data() : nullptr, clip, rows, 3.0, dz.data());
    double expected = 0;
    for (Index r = 0; r < rows; ++r) {
      expected += error(values[r], r, clipped);
      const double slope =
          (error(values[r] + h, r, clipped) - error(values[r] - h, r, clipped)) / (2 * h);
      CHECK_NEAR(dz[r], 3 * slope, 1e-7);
      held += dz[r] == 0;
    }
    CHECK_NEAR(sum, expected, 1e-12);
  }
  CHECK(held > 0 && held < rows);
}

template <class S>
struct Critic {
  Preprocessed network;
  Array<S> start = check::normals<S>(network.num_parameters(), 50, 0.5);
  Array<S> targets, old_values;

  explicit Critic(Index count, Index hidden = 6)
      : network(Mlp({3, hidden, 1}, Activation::tanh)),
        targets(check::normals<S>(count, 51)),
        old_values(check::normals<S>(count, 52, 0.3)) {}

  Array<S> values(const Array<S>& phi, const Array<S>& observations) const {
    Array<S> out(targets.size());
    network_outputs(network, phi.data(), observations.data(), targets.size(), out.data());
    return out;
  }
};

TEST(value_function,
     "Beside the policy, the value function goes down the slope of its mean error.") {
  for_each_climb<double>(100, 0.1, [](const auto& c) {
    const Critic<double> critic(c.B);
    for (const bool clipped : {false, true}) {
      Parameters<double> theta(c.theta), alone(c.theta), phi(critic.start, 1e6, 1e6);
      const ValueSamples<double> samples{critic.targets.data(),
                                         clipped ? critic.old_values.data() : nullptr, 0.2};
      const MinibatchSettings settings{1, 100, infinity, infinity, 1, 0};
      const auto outcome =
          climb_minibatches(c.policy, theta.adam, everything<double>, c.samples(), all_rows(c.B),
                            &critic.network, &phi.adam, &samples, settings);
      climb(c, alone, everything<double>, settings, all_rows(c.B));
      CHECK_SAME(theta.theta, alone.theta);  // the policy's step is its own

      const auto loss = [&](const Array<double>& at) {
        const auto values = critic.values(at, c.observations);
        double sum = 0;
        for (Index b = 0; b < c.B; ++b) {
          const double error = values[b] - critic.targets[b], old = critic.old_values[b];
          const double other =
              std::min(std::max(values[b], old - 0.2), old + 0.2) - critic.targets[b];
          sum += 0.5 * (clipped ? std::max(error * error, other * other) : error * error);
        }
        return sum / static_cast<double>(c.B);
      };
      CHECK_NEAR(outcome.value_loss, loss(critic.start), 1e-12);
      for (Index p = 0; p < phi.adam.size; ++p) {
        Array<double> up = critic.start, down = critic.start;
        up[p] += 1e-5;
        down[p] -= 1e-5;
        const double slope = (loss(up) - loss(down)) / 2e-5;
        CHECK_NEAR(phi.theta[p] - critic.start[p], -slope, 1e-5);
      }
    }
  });
}

TEST(value_epochs,
     "Each of its steps begins where the one before has led, in the policy's order.") {
  for_each_climb<double>(150, 0.2, [](const auto& c) {
    const Critic<double> critic(c.B, 20);  // its last layer is narrow
    Parameters<double> theta(c.theta), phi(critic.start), expected(critic.start);
    const ValueSamples<double> samples{critic.targets.data(), nullptr, 0};
    climb_minibatches(c.policy, theta.adam, everything<double>, c.samples(), all_rows(c.B),
                      &critic.network, &phi.adam, &samples, {3, 40, infinity, infinity, 11, 5});
    std::vector<Index> order = all_rows(c.B);
    for (Index epoch = 0; epoch < 3; ++epoch) {
      shuffle(order.data(), c.B, 11, 5, static_cast<std::uint64_t>(epoch * c.B));
      for (Index begin = 0; begin < c.B; begin += 40) {
        const Index end = std::min(c.B, begin + 40);
        Array<double> gradient = Array<double>::zeros(phi.adam.size);
        for (Index i = begin; i < end; ++i) {
          const Index b = order[static_cast<std::size_t>(i)];
          Preprocessed::Tile<double> tile(critic.network, expected.theta.data());
          const double value = *tile.forward(c.observations.data() + b * c.D, 1);
          const double dz = (value - critic.targets[b]) / static_cast<double>(end - begin);
          tile.backward(&dz, gradient.data());
        }
        expected.step(gradient, -1);
      }
    }
    CHECK_EQ(phi.adam.count, 12);
    for (Index p = 0; p < phi.adam.size; ++p) CHECK_NEAR(phi.theta[p], expected.theta[p], 1e-12);
  });
}

TEST(value_gradient_norm, "The value function's gradient has the same limit, by itself.") {
  for_each_climb<double>(60, 0.1, [](const auto& c) {
    const Critic<double> critic(c.B);
    const ValueSamples<double> samples{critic.targets.data(), nullptr, 0};
    const auto step_of = [&](double limit) -> Array<double> {
      Parameters<double> theta(c.theta), phi(critic.start, 1e6, 1e6);
      climb_minibatches(c.policy, theta.adam, everything<double>, c.samples(), all_rows(c.B),
                        &critic.network, &phi.adam, &samples, {1, 100, limit, infinity, 1, 0});
      return phi.theta - critic.start;
    };
    const Array<double> whole = step_of(infinity), held = step_of(1e-2);
    const double norm = std::sqrt(dot(whole.data(), whole.data(), whole.size()));
    CHECK(norm > 2e-2);
    for (Index p = 0; p < whole.size(); ++p) CHECK_NEAR(held[p], whole[p] * 1e-2 / norm, 1e-6);
  });
}

TEST(long_blocks, "A large batch in long blocks has the gradient that surrogate_sums finds.") {
  constexpr Index large = 25'000;
  CHECK(SampleBlocks(large, 15, 128).block_size() > SampleBlocks(1, 15, 128).block_size());
  for_each_climb<double>(large, 0.1, [](const auto& c) {
    Array<double> gradient(c.theta.size());
    surrogate_sums(c.policy, c.theta.data(), everything<double>, c.samples(), gradient.data());
    Parameters<double> theta(c.theta);
    const MinibatchSettings settings{1, c.B, infinity, infinity, 9, 0};
    const auto outcome = climb(c, theta, everything<double>, settings, all_rows(c.B));
    const double norm = std::sqrt(dot(gradient.data(), gradient.data(), gradient.size()));
    CHECK_NEAR(outcome.gradient_norm, norm, 1e-12 * norm);
  });
}

TEST(threads, "theta, phi and Adam's state have the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    for_each_climb<S>(1300, 0.1, [](const auto& c) {
      const Critic<S> critic(c.B, 500);  // worth several threads
      const ValueSamples<S> samples{critic.targets.data(), critic.old_values.data(), S(0.2)};
      check::same_on_any_threads([&] {
        Parameters<S> theta(c.theta), phi(critic.start);
        const auto outcome =
            climb_minibatches(c.policy, theta.adam, everything<S>, c.samples(), all_rows(c.B),
                              &critic.network, &phi.adam, &samples, {2, 600, 0.5, infinity, 9, 0});
        return std::tuple{theta.theta, theta.m, phi.theta, phi.v,
                          Array<double>{outcome.means.surrogate, outcome.means.kl,
                                        outcome.value_loss, outcome.gradient_norm}};
      });
    });
  });
}

TEST(nan, "A NaN among the advantages comes out in the means; theta and Adam stay as they were.") {
  for_each_climb<double>(50, 0.1, [](auto c) {
    c.advantages[20] = std::numeric_limits<double>::quiet_NaN();
    Parameters<double> theta(c.theta);
    const auto outcome =
        climb(c, theta, everything<double>, {1, 100, 0.5, infinity, 1, 0}, all_rows(c.B));
    CHECK(std::isnan(outcome.means.surrogate));
    CHECK(std::isnan(outcome.gradient_norm));
    CHECK_EQ(outcome.minibatches, 0);
    CHECK_SAME(theta.theta, c.theta);
    CHECK_SAME(theta.m, Array<double>::zeros(c.theta.size()));
  });
}

}  // namespace
}  // namespace pgfast
