#include <limits>

#include "pgfast/baselines.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

template <class S>
using Baseline = void (*)(ConstMatrixView<S>, const bool*, MatrixView<S>);

template <class S>
Array<S> apply(Baseline<S> baseline, const Array<S>& g, const bool* valid, Index T, Index N) {
  Array<S> b = Array<S>::constant(T * N, S{99});
  baseline({g.data(), T, N}, valid, {b.data(), T, N});
  return b;
}

// f(T, N, valid or null). Among the rows are ones with no valid step and ones with exactly one.
template <class F>
void for_each_mask(F&& f) {
  for (const auto& [T, N] : {std::pair<Index, Index>{1, 1}, {1, 33}, {5, 2}, {40, 7}, {7, 300}}) {
    for (const double p : {1.0, 0.7, 0.1, 0.0}) {
      CONTEXT("T " << T << ", N " << N << ", valid " << p);
      const Array<bool> valid = check::flags(T * N, p, 1);
      f(T, N, valid.data());
      if (p == 1.0) f(T, N, static_cast<const bool*>(nullptr));
    }
  }
}

// b is what `mean` gives in long double, rounded once more than a sum in double, 0 where not valid.
// mean(t, n) -> {mean, how many}
template <class S, class F>
void check_means(const Array<S>& b, const bool* valid, Index T, Index N, F&& mean) {
  for (Index t = 0; t < T; ++t) {
    for (Index n = 0; n < N; ++n) {
      if (valid && !valid[t * N + n]) {
        CHECK_EQ(b[t * N + n], S{0});
        continue;
      }
      const auto [expected, count] = mean(t, n);
      CHECK_NEAR(b[t * N + n], count ? expected : 0,
                 std::numeric_limits<S>::epsilon() + 1e-13 * static_cast<double>(count));
    }
  }
}

// The mean of g over what `counts` says.
template <class S, class F>
std::pair<long double, Index> mean_where(const Array<S>& g, F&& counts) {
  long double sum = 0;
  Index count = 0;
  for (Index i = 0; i < g.size(); ++i) {
    if (!counts(i)) continue;
    sum += g[i];
    ++count;
  }
  return {count ? sum / static_cast<long double>(count) : 0, count};
}

TEST(constant, "The constant baseline is the mean over all valid steps.") {
  check::for_each_scalar([]<class S>() {
    for_each_mask([](Index T, Index N, const bool* valid) {
      const auto g = check::normals<S>(T * N, 2);
      const auto mean = mean_where(g, [&](Index i) { return !valid || valid[i]; });
      check_means(apply<S>(constant_baseline, g, valid, T, N), valid, T, N,
                  [&](Index, Index) { return mean; });
    });
  });
}

TEST(time, "The time baseline is the mean over the trajectories that are valid at that time.") {
  check::for_each_scalar([]<class S>() {
    for_each_mask([](Index T, Index N, const bool* valid) {
      const auto g = check::normals<S>(T * N, 2);
      check_means(apply<S>(time_baseline, g, valid, T, N), valid, T, N, [&](Index t, Index) {
        return mean_where(g, [&](Index i) { return i / N == t && (!valid || valid[i]); });
      });
    });
  });
}

TEST(leave_one_out, "The leave-one-out baseline is the mean over the others, 0 without others.") {
  check::for_each_scalar([]<class S>() {
    for_each_mask([](Index T, Index N, const bool* valid) {
      const auto g = check::normals<S>(T * N, 2);
      check_means(
          apply<S>(leave_one_out_baseline, g, valid, T, N), valid, T, N, [&](Index t, Index n) {
            return mean_where(
                g, [&](Index i) { return i / N == t && i != t * N + n && (!valid || valid[i]); });
          });
    });
  });
}

TEST(leave_one_out_and_time, "g minus leave-one-out is N/(N-1) times g minus the time baseline.") {
  const Index T = 9, N = 31;
  const auto g = check::normals<double>(T * N, 3);
  const auto loo = apply<double>(leave_one_out_baseline, g, nullptr, T, N);
  const auto time = apply<double>(time_baseline, g, nullptr, T, N);
  for (Index i = 0; i < T * N; ++i) {
    CHECK_NEAR(g[i] - loo[i], 31.0 / 30.0 * (g[i] - time[i]), 1e-13);
  }
}

// The baselines that read more than the returns, as functions of them.
template <class S>
Array<S> apply_optimal(const Array<S>& g, const Array<S>& norms, const bool* valid, bool per_time,
                       Index T, Index N) {
  Array<S> b(T * N);
  optimal_baseline<S>({g.data(), T, N}, valid, norms.data(), per_time, {b.data(), T, N});
  return b;
}

template <class S>
Array<S> apply_linear(const Array<S>& g, const Array<S>& s, const bool* valid, Index T, Index N,
                      double ridge) {
  Array<S> b(T * N);
  linear_baseline<S>({g.data(), T, N}, valid, s.data(), s.size() / (T * N), ridge,
                     {b.data(), T, N});
  return b;
}

TEST(optimal, "The optimal baseline is the mean weighted by the norms, over all or over a row.") {
  check::for_each_scalar([]<class S>() {
    for_each_mask([](Index T, Index N, const bool* valid) {
      const auto g = check::normals<S>(T * N, 2), norms = check::normals<S>(T * N, 3).abs();
      for (const bool per_time : {false, true}) {
        CONTEXT("per time " << per_time);
        check_means(apply_optimal<S>(g, norms, valid, per_time, T, N), valid, T, N,
                    [&](Index t, Index) -> std::pair<long double, Index> {
                      long double sum = 0, weight = 0;
                      for (Index i = 0; i < T * N; ++i) {
                        if ((per_time && i / N != t) || (valid && !valid[i])) continue;
                        sum += static_cast<long double>(norms[i]) * g[i];
                        weight += norms[i];
                      }
                      return {sum / weight, T * N};
                    });
      }
    });
  });
}

TEST(linear,
     "The linear baseline of what is linear in state, its square and time is that itself.") {
  check::for_each_scalar([]<class S>() {
    const Index T = 150, N = 20, D = 2;
    const auto s = check::normals<S>(T * N * D, 2);
    const auto valid = check::flags(T * N, 0.8, 4);
    Array<S> g(T * N);
    for (Index i = 0; i < T * N; ++i) {
      const S tau = static_cast<S>(i / N) / 100;
      g[i] = 1 + 2 * s[i * D] - s[i * D + 1] * s[i * D + 1] + 3 * tau * tau * tau;
    }
    const auto b = apply_linear<S>(g, s, valid.data(), T, N, 0.0);
    for (Index i = 0; i < T * N; ++i) {
      // g up to 30 is itself rounded, b again.
      CHECK_NEAR(b[i], valid[i] ? g[i] : S{0}, 60 * std::numeric_limits<S>::epsilon() + 1e-12);
    }
  });
}

TEST(large_offset, "Means of large, nearly equal returns keep their digits.") {
  const Index N = 10000;
  const Array<float> g = Array<float>::constant(N, 16777215.0f);
  CHECK_SAME(apply<float>(constant_baseline, g, nullptr, 1, N), g);
  CHECK_SAME(apply<float>(time_baseline, g, nullptr, 1, N), g);
  CHECK_SAME(apply<float>(leave_one_out_baseline, g, nullptr, 1, N), g);
}

TEST(nan_where_not_valid, "A NaN where no step happened leaves no trace.") {
  check::for_each_scalar([]<class S>() {
    const Index T = 20, N = 50;
    const auto valid = check::flags(T * N, 0.6, 4);
    const auto g = check::normals<S>(T * N, 5);
    Array<S> dirty = g;
    for (Index i = 0; i < T * N; ++i) {
      if (!valid[i]) dirty[i] = std::numeric_limits<S>::quiet_NaN();
    }
    for (const Baseline<S> f :
         {constant_baseline<S>, time_baseline<S>, leave_one_out_baseline<S>}) {
      CHECK_SAME(apply<S>(f, dirty, valid.data(), T, N), apply<S>(f, g, valid.data(), T, N));
    }
  });
}

TEST(nan_where_valid, "A valid NaN comes out in the means that it belongs to, and in no other.") {
  check::for_each_scalar([]<class S>() {
    const Index T = 3, N = 4;
    auto g = check::normals<S>(T * N, 5);
    g[1 * N + 2] = std::numeric_limits<S>::quiet_NaN();
    const auto constant = apply<S>(constant_baseline, g, nullptr, T, N);
    const auto time = apply<S>(time_baseline, g, nullptr, T, N);
    const auto others = apply<S>(leave_one_out_baseline, g, nullptr, T, N);
    for (Index i = 0; i < T * N; ++i) {
      CHECK(std::isnan(constant[i]));
      CHECK_EQ(std::isnan(time[i]), i / N == 1);
      if (i != 1 * N + 2) CHECK_EQ(std::isnan(others[i]), i / N == 1);
    }
  });
}

TEST(threads, "Baselines have the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    const Index T = 300, N = 501;
    const auto g = check::normals<S>(T * N, 6);
    const auto valid = check::flags(T * N, 0.8, 7);
    const auto x = check::normals<S>(T * N * 3, 8);
    for (const auto baseline :
         {constant_baseline<S>, time_baseline<S>, leave_one_out_baseline<S>}) {
      check::same_on_any_threads(
          [&] { return std::tuple{apply<S>(baseline, g, valid.data(), T, N)}; });
    }
    for (const bool per_time : {false, true}) {
      for (const bool* counts : {static_cast<const bool*>(nullptr), valid.data()}) {
        check::same_on_any_threads(
            [&] { return std::tuple{apply_optimal<S>(g, g.abs(), counts, per_time, T, N)}; });
      }
    }
    check::same_on_any_threads(
        [&] { return std::tuple{apply_linear<S>(g, x, valid.data(), T, N, 1e-5)}; });
  });
}

}  // namespace
}  // namespace pgfast
