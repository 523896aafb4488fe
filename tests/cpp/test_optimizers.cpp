#include <limits>

#include "check.hpp"
#include "pgfast/optimizers.hpp"

namespace pgfast {
namespace {

using check::Array;

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());

template <class S>
struct Adam {
  Array<S> theta, m, v;
  explicit Adam(const Array<S>& start)
      : theta(start), m(Array<S>::zeros(start.size())), v(Array<S>::zeros(start.size())) {}
  void step(const Array<S>& g, std::int64_t count, S step_size = S(0.01), S eps = S(1e-8)) {
    adam_step(theta.data(), g.data(), m.data(), v.data(), theta.size(), count, step_size, S(0.9),
              S(0.999), eps);
  }
};

TEST(sgd,
     "SGD adds step_size times the gradient: up for a positive step, down for a negative one.") {
  check::for_each_scalar([]<class S>() {
    for (const Index n : {1, 3, 17, 100}) {
      for (const S step_size : {S(0.1), S(-0.3), S{0}}) {
        const auto start = check::normals<S>(n, 1), g = check::normals<S>(n, 2);
        Array<S> theta = start;
        sgd_step(theta.data(), g.data(), n, step_size);
        for (Index i = 0; i < n; ++i) {
          const double change = static_cast<double>(step_size) * static_cast<double>(g[i]);
          const double expected = static_cast<double>(start[i]) + change;
          CHECK_NEAR(theta[i], expected, epsilon<S> * (std::abs(expected) + std::abs(change)));
        }
      }
    }
  });
}

// The algorithm as it is printed, in long double.
TEST(adam, "Adam follows algorithm 1 of its paper over many steps.") {
  check::for_each_scalar([]<class S>() {
    const Index n = 19;
    Adam<S> adam(check::normals<S>(n, 3));
    const long double beta1 = S(0.9), beta2 = S(0.999), step_size = S(0.01), eps = S(1e-8);
    std::vector<long double> theta(19), m(19), v(19);
    for (std::size_t i = 0; i < 19; ++i) theta[i] = adam.theta[static_cast<Index>(i)];
    for (std::int64_t count = 1; count <= 50; ++count) {
      CONTEXT("step " << count);
      const auto g = check::normals<S>(n, 100 + static_cast<std::uint64_t>(count));
      adam.step(g, count);
      for (std::size_t i = 0; i < 19; ++i) {
        const auto j = static_cast<Index>(i);
        const long double g_i = g[j];
        m[i] = beta1 * m[i] + (1 - beta1) * g_i;
        v[i] = beta2 * v[i] + (1 - beta2) * g_i * g_i;
        const long double m_hat = m[i] / (1 - std::pow(beta1, static_cast<long double>(count)));
        const long double v_hat = v[i] / (1 - std::pow(beta2, static_cast<long double>(count)));
        theta[i] += step_size * m_hat / (std::sqrt(v_hat) + eps);
        // m forgets its roundings at a rate of 1/10, v hardly, and theta sums up all of them.
        const double steps = static_cast<double>(count);
        CHECK_NEAR(adam.m[j], m[i], 16 * epsilon<S>);
        CHECK_NEAR(adam.v[j], v[i], (2 + steps) * epsilon<S> * static_cast<double>(v[i]));
        CHECK_NEAR(adam.theta[j], theta[i], (2 + steps) * epsilon<S>);
      }
    }
  });
}

TEST(adam_first_step, "Adam's first step has length step_size, whatever the gradient's scale.") {
  check::for_each_scalar([]<class S>() {
    for (const S scale : {S(1e-4), S{1}, S(1e10)}) {
      for (const S step_size : {S(0.01), S(-0.01)}) {
        const Array<S> g = scale * check::normals<S>(33, 4);
        Adam<S> adam(Array<S>::zeros(33));
        adam.step(g, 1, step_size, S{0});
        for (Index i = 0; i < 33; ++i) {
          CHECK_NEAR(adam.theta[i], g[i] > S{0} ? step_size : -step_size, 1e-1 * epsilon<S>);
        }
      }
    }
  });
}

TEST(adam_zero_gradient, "Adam stays where it is while all gradients are zero.") {
  check::for_each_scalar([]<class S>() {
    const auto start = check::normals<S>(9, 5);
    Adam<S> adam(start);
    for (std::int64_t count = 1; count < 5; ++count) adam.step(Array<S>::zeros(9), count);
    CHECK_SAME(adam.theta, start);
  });
}

TEST(adam_late, "After very many steps the bias corrections are 1.") {
  Adam<double> adam(Array<double>::zeros(1));
  adam.m[0] = adam.v[0] = 1;
  adam.step(Array<double>::ones(1), std::int64_t{1} << 40);
  CHECK_NEAR(adam.theta[0], 0.01 / (1 + 1e-8), 1e-16);
}

TEST(elements_alone, "An element has the same bits alone, among others and at any address.") {
  check::for_each_scalar([]<class S>() {
    const Index n = 37;
    const auto start = check::normals<S>(n, 6), g1 = check::normals<S>(n, 7),
               g2 = check::normals<S>(n, 8);
    Array<S> sgd = start;
    sgd_step(sgd.data(), g1.data(), n, S(0.3));
    Adam<S> adam(start);
    adam.step(g1, 1);
    adam.step(g2, 2);
    for (Index i = 0; i < n; ++i) {
      Array<S> one = start.segment(i, 1);
      sgd_step(one.data(), g1.data() + i, 1, S(0.3));
      CHECK_EQ(one[0], sgd[i]);
      Adam<S> alone(start.segment(i, 1));
      alone.step(g1.segment(i, 1), 1);
      alone.step(g2.segment(i, 1), 2);
      CHECK_EQ(alone.theta[0], adam.theta[i]);
    }
    for (Index shift = 1; shift < 16; ++shift) {
      check::Shifted<S> theta(start, shift), m(Array<S>::zeros(n), 3), v(Array<S>::zeros(n), 5);
      adam_step(theta.data(), g1.data(), m.data(), v.data(), n, 1, S(0.01), S(0.9), S(0.999),
                S(1e-8));
      adam_step(theta.data(), g2.data(), m.data(), v.data(), n, 2, S(0.01), S(0.9), S(0.999),
                S(1e-8));
      CHECK_SAME(theta.values(), adam.theta);
    }
  });
}

TEST(nan, "A NaN in one element's gradient reaches that element alone.") {
  check::for_each_scalar([]<class S>() {
    Array<S> g = check::normals<S>(9, 9);
    g[4] = std::numeric_limits<S>::quiet_NaN();
    Array<S> theta = Array<S>::zeros(9);
    sgd_step(theta.data(), g.data(), 9, S(0.1));
    Adam<S> adam(Array<S>::zeros(9));
    adam.step(g, 1);
    for (Index i = 0; i < 9; ++i) {
      CHECK_EQ(std::isnan(theta[i]), i == 4);
      CHECK_EQ(std::isnan(adam.theta[i]), i == 4);
    }
  });
}

}  // namespace
}  // namespace pgfast
