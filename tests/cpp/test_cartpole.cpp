#include <limits>

#include "environments.hpp"
#include "pgfast/envs/cartpole.hpp"

namespace pgfast {
namespace {

using check::Array;
using check::Batch;

struct Transition {
  DiscreteAction action;
  double before[4], after[4];
  bool terminated;
};

// Gymnasium 1.4's CartPole-v1, stepped once from a given state.
constexpr Transition gymnasium[] = {
    {1,
     {0.01, -0.02, 0.03, 0.04},
     {0.009600000000000001, 0.17467919574755525, 0.030799999999999998, -0.2430687179600081},
     false},
    {0,
     {0.01, -0.02, 0.03, 0.04},
     {0.009600000000000001, -0.21553901710278936, 0.030799999999999998, 0.34199522377603914},
     false},
    {1, {-1.5, 2.0, 0.2, -3.0}, {-1.46, 2.193515076457949, 0.14, -3.2260777048634943}, false},
    {0, {2.39, 3.0, -0.1, 1.0}, {2.45, 2.8063464807954666, -0.08, 1.259678062849721}, true},
    {1, {-2.39, -3.0, 0.1, 0.5}, {-2.45, -2.806419476403296, 0.11, 0.2404308835510348}, true},
    {0, {0.3, 0.1, 0.205, 2.0}, {0.302, -0.09658977071179894, 0.245, 2.348558806701341}, true},
    {1, {0.0, 0.0, -0.2, -1.0}, {0.0, 0.19715116691915335, -0.22, -1.348240687473541}, true},
    {1, {0.0, 0.0, 0.0, 0.0}, {0.0, 0.1951219512195122, 0.0, -0.2926829268292683}, false},
};

template <class S>
void check_transitions(double tolerance) {
  const Index N = std::size(gymnasium);
  Batch<CartPole<S>> batch(N, 500);
  Array<DiscreteAction> actions(N);
  for (Index i = 0; i < N; ++i) {
    S start[4];
    std::transform(gymnasium[i].before, gymnasium[i].before + 4, start,
                   [](double x) { return static_cast<S>(x); });
    batch.env.set_episode_start(i, start);
    actions[i] = gymnasium[i].action;
  }
  batch.step(actions, Autoreset::disabled);
  for (Index i = 0; i < N; ++i) {
    CONTEXT("transition " << i);
    for (Index k = 0; k < 4; ++k) {
      CHECK_NEAR(batch.observations[4 * i + k], gymnasium[i].after[k], tolerance);
    }
    CHECK_EQ(batch.terminated[i], gymnasium[i].terminated);
    CHECK(!batch.truncated[i]);
    CHECK_EQ(batch.rewards[i], S{1});
  }
}

TEST(known_transitions, "A step is Gymnasium's: to 1e-12 in double, to its rounding in float.") {
  check_transitions<double>(1e-12);
  check_transitions<float>(8 * 3 * static_cast<double>(std::numeric_limits<float>::epsilon()));
}

TEST(equations, "Along random episodes every transition satisfies the equations of motion.") {
  check::for_each_scalar([]<class S>() {
    const double tolerance = 8 * 10 * static_cast<double>(std::numeric_limits<S>::epsilon());
    const Index N = 40;
    Batch<CartPole<S>> batch(N, 500);
    batch.reset(3);
    Index falls = 0;
    for (Index t = 0; t < 200; ++t) {
      const Array<double> before = batch.observations.template cast<double>();
      const auto actions = check::actions_at(t, N);
      batch.step(actions);
      for (Index i = 0; i < N; ++i) {
        const double x = before[4 * i], v = before[4 * i + 1], angle = before[4 * i + 2],
                     w = before[4 * i + 3];
        const double force = actions[i] == 1 ? 10 : -10;
        const double temp = (force + 0.05 * w * w * std::sin(angle)) / 1.1;
        const double c = std::cos(angle);
        const double w_dot =
            (9.8 * std::sin(angle) - c * temp) / (0.5 * (4.0 / 3 - 0.1 * c * c / 1.1));
        const double v_dot = temp - 0.05 * w_dot * c / 1.1;
        const double after[4] = {x + 0.02 * v, v + 0.02 * v_dot, angle + 0.02 * w,
                                 w + 0.02 * w_dot};
        const S* seen = batch.done(i) ? batch.final_observations.data() : batch.observations.data();
        for (Index k = 0; k < 4; ++k) CHECK_NEAR(seen[4 * i + k], after[k], tolerance);
        falls += batch.terminated[i];
      }
    }
    CHECK(falls > 100);
  });
}

TEST(limits, "The episode ends beyond 2.4 m or 12 degrees, and not on the limit itself.") {
  check::for_each_scalar([]<class S>() {
    const S x = S(2.4), angle = S(12 * 2 * 3.14159265358979323846 / 360);
    const S up = std::numeric_limits<S>::infinity();
    // Without speed a step leaves position and angle where they are.
    const S starts[][4] = {{x, 0, 0, 0},      {std::nextafter(x, up), 0, 0, 0},
                           {-x, 0, 0, 0},     {std::nextafter(-x, -up), 0, 0, 0},
                           {0, 0, angle, 0},  {0, 0, std::nextafter(angle, up), 0},
                           {0, 0, -angle, 0}, {0, 0, std::nextafter(-angle, -up), 0}};
    Batch<CartPole<S>> batch(8, 500);
    for (Index i = 0; i < 8; ++i) batch.env.set_episode_start(i, starts[i]);
    batch.step(check::actions_at(0, 8), Autoreset::disabled);
    for (Index i = 0; i < 8; ++i) CHECK_EQ(batch.terminated[i], i % 2 == 1);
  });
}

TEST(resets, "An episode starts anywhere within 0.05 of the origin, in all four numbers.") {
  check::for_each_scalar([]<class S>() {
    Batch<CartPole<S>> batch(1000, 500);
    batch.reset(5);
    for (Index k = 0; k < 4; ++k) {
      S low = 1, high = -1;
      for (Index i = 0; i < 1000; ++i) {
        low = std::min(low, batch.observations[4 * i + k]);
        high = std::max(high, batch.observations[4 * i + k]);
      }
      CHECK(low >= S(-0.05) && high <= S(0.05));
      CHECK(low < S(-0.049) && high > S(0.049));  // fails by chance once in 10^4 seeds
    }
  });
}

TEST(rewards, "Every step gives 1; with Sutton and Barto's reward 0, and -1 for the fall.") {
  for (const bool sutton_barto : {false, true}) {
    Batch<CartPole<float>> batch(40, 500, CartPole<float>{sutton_barto});
    batch.reset(6);
    for (Index t = 0; t < 100; ++t) {
      batch.step(check::actions_at(t, 40));
      for (Index i = 0; i < 40; ++i) {
        const float expected = sutton_barto ? (batch.terminated[i] ? -1.0f : 0.0f) : 1.0f;
        CHECK_EQ(batch.rewards[i], expected);
      }
    }
  }
}

TEST(both_flags, "A fall on the last allowed step is terminated and truncated.") {
  Batch<CartPole<double>> batch(1, 1);
  const double start[4] = {2.39, 3.0, 0, 0};
  batch.env.set_episode_start(0, start);
  batch.step(check::actions_at(0, 1));
  CHECK(batch.terminated[0]);
  CHECK(batch.truncated[0]);
}

TEST(nan, "A NaN in the state stays a NaN and ends nothing.") {
  check::for_each_scalar([]<class S>() {
    Batch<CartPole<S>> batch(2, 500);
    batch.reset(7);
    const S start[4] = {S{0}, S{0}, std::numeric_limits<S>::quiet_NaN(), S{0}};
    batch.env.set_episode_start(0, start);
    for (Index t = 0; t < 5; ++t) batch.step(check::actions_at(t, 2));
    CHECK(batch.observations.head(4).is_nan().all());
    CHECK(!batch.terminated[0]);
    CHECK(batch.observations.tail(4).is_finite().all());
  });
}

}  // namespace
}  // namespace pgfast
