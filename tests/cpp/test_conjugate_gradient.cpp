#include <limits>

#include "check.hpp"
#include "pgfast/conjugate_gradient.hpp"

namespace pgfast {
namespace {

using check::Array;

// A symmetric matrix with chosen eigenvalues: A = H D H, H the reflection I - 2 w w' / w'w.
template <class S>
class Symmetric {
 public:
  explicit Symmetric(Array<double> eigenvalues, std::uint64_t seed = 1)
      : eigenvalues_(std::move(eigenvalues)),
        w_(check::normals<double>(eigenvalues_.size(), seed)) {}

  Index size() const { return w_.size(); }

  void operator()(const S* v, S* out) const {
    Array<double> u(size());
    for (Index i = 0; i < size(); ++i) u[i] = static_cast<double>(v[i]);
    reflect(u);
    u = u * eigenvalues_;
    reflect(u);
    for (Index i = 0; i < size(); ++i) out[i] = static_cast<S>(u[i]);
  }

  // |b - (A + damping I) x| / |b|
  double residual(const Array<S>& b, const Array<S>& x, double damping = 0) const {
    Array<S> Ax(size());
    (*this)(x.data(), Ax.data());
    double rr = 0, bb = 0;
    for (Index i = 0; i < size(); ++i) {
      const double b_i = static_cast<double>(b[i]);
      const double r = b_i - static_cast<double>(Ax[i]) - damping * static_cast<double>(x[i]);
      rr += r * r;
      bb += b_i * b_i;
    }
    return std::sqrt(rr / bb);
  }

 private:
  void reflect(Array<double>& u) const {
    double wu = 0, ww = 0;
    for (Index i = 0; i < size(); ++i) {
      wu += w_[i] * u[i];
      ww += w_[i] * w_[i];
    }
    for (Index i = 0; i < size(); ++i) u[i] -= 2 * wu / ww * w_[i];
  }

  Array<double> eigenvalues_, w_;
};

// n eigenvalues, r of them distinct: 1, 2, ..., r in turn.
Array<double> distinct(Index n, Index r) {
  Array<double> eigenvalues(n);
  for (Index i = 0; i < n; ++i) eigenvalues[i] = static_cast<double>(1 + i % r);
  return eigenvalues;
}

template <class S>
struct Solved {
  CGOutcome outcome;
  Array<S> x;
};

template <class S, class A>
Solved<S> solve(const A& a, const Array<S>& b, double tolerance = 1e-6, Index max_iterations = 100,
                double damping = 0) {
  Solved<S> solved;
  solved.x = Array<S>::constant(b.size(), std::numeric_limits<S>::quiet_NaN());
  solved.outcome = conjugate_gradient<S>(a, b.data(), solved.x.data(), b.size(), tolerance,
                                         max_iterations, damping);
  return solved;
}

template <class S>
constexpr double epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());

TEST(exact_in_r_steps,
     "With r distinct eigenvalues the solution is there after r steps, not before.") {
  check::for_each_scalar([]<class S>() {
    for (const Index n : {5, 8, 40, 67}) {
      for (Index r = 1; r <= 5; ++r) {
        CONTEXT("n " << n << ", r " << r);
        const Symmetric<S> a(distinct(n, r));
        const auto b = check::normals<S>(n, 2);
        const double tolerance = 1000 * epsilon<S>;
        const auto [outcome, x] = solve<S>(a, b, tolerance);
        CHECK_EQ(outcome.status, CGStatus::converged);
        CHECK_EQ(outcome.iterations, r);
        CHECK(outcome.residual <= tolerance);
        CHECK(a.residual(b, x) <= 2 * tolerance);
      }
    }
  });
}

TEST(one_unknown, "A single equation is solved by division.") {
  check::for_each_scalar([]<class S>() {
    const Array<S> b = Array<S>::constant(1, S{3});
    const auto [outcome, x] = solve<S>([](const S* v, S* out) { *out = S{4} * *v; }, b);
    CHECK_EQ(outcome.iterations, 1);
    CHECK_EQ(x[0], S(0.75));
  });
}

TEST(damping, "Damping adds a multiple of the identity: it shifts every eigenvalue.") {
  check::for_each_scalar([]<class S>() {
    const Index n = 33;
    const Symmetric<S> a(distinct(n, 3)), shifted(distinct(n, 3) + 0.5);
    const auto b = check::normals<S>(n, 3);
    const double tolerance = 1000 * epsilon<S>;
    const auto [outcome, x] = solve<S>(a, b, tolerance, 100, 0.5);
    CHECK_EQ(outcome.status, CGStatus::converged);
    CHECK_EQ(outcome.iterations, 3);
    CHECK(a.residual(b, x, 0.5) <= 2 * tolerance);
    CHECK(shifted.residual(b, x) <= 2 * tolerance);
    const auto other = solve<S>(shifted, b, tolerance);
    for (Index i = 0; i < n; ++i) CHECK_NEAR(x[i], other.x[i], 10 * tolerance);
  });
}

TEST(damping_alone, "A matrix of zeros is solved by damping: x = b / damping.") {
  check::for_each_scalar([]<class S>() {
    const auto b = check::normals<S>(17, 4);
    const Symmetric<S> zero(Array<double>::zeros(17));
    const auto [outcome, x] = solve<S>(zero, b, 1e-5, 100, 0.25);
    CHECK_EQ(outcome.status, CGStatus::converged);
    for (Index i = 0; i < 17; ++i) CHECK_NEAR(x[i], 4 * b[i], 100 * epsilon<S>);
  });
}

TEST(zero_right_hand_side, "b = 0 gives x = 0 at once, without a product.") {
  check::for_each_scalar([]<class S>() {
    const auto never = [](const S*, S*) { CHECK(false); };
    const auto [outcome, x] = solve<S>(never, Array<S>::zeros(9));
    CHECK_EQ(outcome.status, CGStatus::converged);
    CHECK_EQ(outcome.iterations, 0);
    CHECK_EQ(outcome.residual, 0.0);
    CHECK_SAME(x, Array<S>::zeros(9));
  });
}

TEST(iteration_limit,
     "At the limit x is what the allowed steps gave, and the residual is x's own.") {
  check::for_each_scalar([]<class S>() {
    const Index n = 40;
    const Symmetric<S> a(distinct(n, 5));
    const auto b = check::normals<S>(n, 5);
    for (Index limit = 0; limit < 5; ++limit) {
      CONTEXT("limit " << limit);
      const auto [outcome, x] = solve<S>(a, b, 1000 * epsilon<S>, limit);
      CHECK_EQ(outcome.status, CGStatus::max_iterations);
      CHECK_EQ(outcome.iterations, limit);
      CHECK_NEAR(outcome.residual, a.residual(b, x), 100 * epsilon<S>);
      CHECK(outcome.residual > 1000 * epsilon<S>);
    }
    CHECK_EQ(solve<S>(a, b, 1000 * epsilon<S>, 5).outcome.status, CGStatus::converged);
  });
}

TEST(tolerance_is_relative, "Scaling b by a power of two scales x and changes nothing else.") {
  check::for_each_scalar([]<class S>() {
    const Symmetric<S> a(distinct(40, 5));
    const auto b = check::normals<S>(40, 6);
    const auto one = solve<S>(a, b, 1e-3);
    for (const S scale : {S(0x1p-20), S(0x1p20)}) {
      const auto scaled = solve<S>(a, Array<S>(scale * b), 1e-3);
      CHECK_EQ(scaled.outcome.status, one.outcome.status);
      CHECK_EQ(scaled.outcome.iterations, one.outcome.iterations);
      CHECK_EQ(scaled.outcome.residual, one.outcome.residual);
      CHECK_SAME(scaled.x, Array<S>(scale * one.x));
    }
  });
}

TEST(loose_tolerance, "A tolerance of 1 is met by x = 0.") {
  const auto [outcome, x] =
      solve<double>(Symmetric<double>(distinct(8, 2)), check::normals<double>(8, 7), 1.0);
  CHECK_EQ(outcome.status, CGStatus::converged);
  CHECK_EQ(outcome.iterations, 0);
  CHECK_SAME(x, Array<double>::zeros(8));
}

TEST(no_curvature, "Along a direction without positive curvature no step is taken.") {
  check::for_each_scalar([]<class S>() {
    const auto b = check::normals<S>(9, 8);
    for (const double eigenvalue : {0.0, -1.0}) {
      const Symmetric<S> a(Array<double>::constant(9, eigenvalue));
      const auto [outcome, x] = solve<S>(a, b);
      CHECK_EQ(outcome.status, CGStatus::non_positive_curvature);
      CHECK_EQ(outcome.iterations, 0);
      CHECK_EQ(outcome.residual, 1.0);
      CHECK_SAME(x, Array<S>::zeros(9));
    }
  });
}

TEST(curvature_guard, "Negative curvature met on the way leaves x from before that step.") {
  check::for_each_scalar([]<class S>() {
    // By hand: A = diag(4, -1), b = (2, 1). The first step has curvature 15 and length 1/3; then
    // r = (-2/3, 4/3), p = r + 4/9 b = (2/9, 16/9), and p'Ap = (16 - 256)/81 < 0.
    const auto a = [](const S* v, S* out) {
      out[0] = S{4} * v[0];
      out[1] = -v[1];
    };
    const Array<S> b{S{2}, S{1}};
    const auto [outcome, x] = solve<S>(a, b);
    CHECK_EQ(outcome.status, CGStatus::non_positive_curvature);
    CHECK_EQ(outcome.iterations, 1);
    CHECK_NEAR(x[0], 2.0 / 3, 4 * epsilon<S>);
    CHECK_NEAR(x[1], 1.0 / 3, 4 * epsilon<S>);
    CHECK_NEAR(outcome.residual, 2.0 / 3, 4 * epsilon<S>);
  });
}

TEST(non_finite_right_hand_side, "NaN or infinity in b is reported, with x = 0.") {
  check::for_each_scalar([]<class S>() {
    for (const S bad : {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity()}) {
      Array<S> b = check::normals<S>(9, 9);
      b[8] = bad;
      const auto [outcome, x] = solve<S>(Symmetric<S>(distinct(9, 2)), b);
      CHECK_EQ(outcome.status, CGStatus::non_finite);
      CHECK_EQ(outcome.iterations, 0);
      CHECK_SAME(x, Array<S>::zeros(9));
    }
  });
}

TEST(non_finite_product,
     "NaN or infinity in a product is reported, with x from before that step.") {
  check::for_each_scalar([]<class S>() {
    const Symmetric<S> a(distinct(9, 4));
    const auto b = check::normals<S>(9, 10);
    for (const S bad : {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity()}) {
      for (Index good = 0; good < 3; ++good) {
        Index products = 0;
        const auto [outcome, x] = solve<S>(
            [&](const S* v, S* out) {
              a(v, out);
              if (products++ == good) out[3] = bad;
            },
            b);
        CHECK_EQ(outcome.status, CGStatus::non_finite);
        CHECK_EQ(outcome.iterations, good);
        CHECK_SAME(x, solve<S>(a, b, 1e-6, good).x);
      }
    }
  });
}

TEST(overflow, "A step that the type can't hold is not taken, and reported as not finite.") {
  check::for_each_scalar([]<class S>() {
    const auto refused = [](S first, S second, S right_hand_side) {
      const auto a = [&](const S* v, S* out) {
        out[0] = first * v[0];
        out[1] = second * v[1];
      };
      const auto [outcome, x] = solve<S>(a, Array<S>::constant(2, right_hand_side));
      CHECK_EQ(outcome.status, CGStatus::non_finite);
      CHECK_EQ(outcome.iterations, 0);
      CHECK_SAME(x, Array<S>::zeros(2));
    };
    // The step's length overflows: next to a zero it makes a NaN, elsewhere an infinite x.
    const S tiny = std::numeric_limits<S>::denorm_min() * S{16};
    refused(tiny, S{0}, S{1});
    refused(tiny, tiny, S{1});
    // The length can be held, x = b / small can't.
    const S small = std::numeric_limits<S>::min() * S{16};
    refused(small, small, S{1e6});
  });
}

TEST(dot_products, "dot is the sum of products, in double also for floats, for any length.") {
  check::for_each_scalar([]<class S>() {
    for (Index n = 0; n < 40; ++n) {
      const auto a = check::normals<S>(n, 11), b = check::normals<S>(n, 12);
      long double sum = 0;
      for (Index i = 0; i < n; ++i) sum += static_cast<long double>(a[i]) * b[i];
      CHECK_NEAR(dot(a.data(), b.data(), n), sum, 1e-14 * static_cast<double>(n));
    }
  });
}

TEST(any_address, "Wherever the vectors lie in memory, the bits are the same.") {
  check::for_each_scalar([]<class S>() {
    for (const Index n : {1, 7, 33, 100}) {
      const Symmetric<S> a(distinct(n, 6));
      const auto b = check::normals<S>(n, 13);
      const auto expected = solve<S>(a, b, 1e-4, 100, 0.01);
      const double expected_dot = dot(b.data(), expected.x.data(), n);
      for (Index shift = 1; shift < 16; ++shift) {
        CONTEXT("n " << n << ", shift " << shift);
        check::Shifted<S> b_shifted(b, shift), x(Array<S>::zeros(n), 16 - shift);
        const auto outcome =
            conjugate_gradient<S>(a, b_shifted.data(), x.data(), n, 1e-4, 100, 0.01);
        CHECK_SAME(x.values(), expected.x);
        CHECK_EQ(outcome.residual, expected.outcome.residual);
        CHECK_EQ(dot(b_shifted.data(), x.data(), n), expected_dot);
      }
    }
  });
}

TEST(names, "Every status has its name.") {
  CHECK_EQ(std::string(status_name(CGStatus::converged)), "converged");
  CHECK_EQ(std::string(status_name(CGStatus::max_iterations)), "max_iterations");
  CHECK_EQ(std::string(status_name(CGStatus::non_positive_curvature)), "non_positive_curvature");
  CHECK_EQ(std::string(status_name(CGStatus::non_finite)), "non_finite");
}

}  // namespace
}  // namespace pgfast
