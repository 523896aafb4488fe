#include "pgfast/moments.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

TEST(by_hand, "Count, mean and variance are those of a loop over the samples that count.") {
  for (const Index n : {1, 7, 8, 9, 63, 511, 513, 4000}) {
    for (const double p : {1.0, 0.5}) {
      CONTEXT("n " << n << ", p " << p);
      const auto x = check::normals<double>(n, 1, 3.0);
      auto flags = check::flags(n, p, 2);
      flags[n - 1] = true;
      const auto f = [&](Index i) { return x[i] + 40; };
      const Moments m = moments(n, flags.data(), f);
      double count = 0, sum = 0, squares = 0;
      for (Index i = 0; i < n; ++i) count += flags[i];
      for (Index i = 0; i < n; ++i) sum += flags[i] ? f(i) : 0;
      for (Index i = 0; i < n; ++i) {
        squares += flags[i] ? (f(i) - sum / count) * (f(i) - sum / count) : 0;
      }
      CHECK_EQ(m.count, static_cast<Index>(count));
      CHECK_NEAR(m.first + m.mean, sum / count, 1e-12);
      CHECK_NEAR(m.variance, squares / count, 1e-11);
      if (flags.all()) {
        const Moments all = moments(n, nullptr, f);
        CHECK_EQ(all.mean, m.mean);
        CHECK_EQ(all.variance, m.variance);
      }
    }
  }
}

TEST(equal, "Equal samples have no variance at all, and none at all has no moments.") {
  const auto f = [](Index) { return 0.1; };
  CHECK_EQ(moments(1000, nullptr, f).variance, 0.0);
  const auto none = Array<bool>::constant(10, false);
  CHECK_EQ(moments(10, none.data(), f).count, 0);
}

TEST(not_counted, "What does not count plays no part, whatever it holds.") {
  check::for_each_scalar([]<class S>() {
    const S nan = std::numeric_limits<S>::quiet_NaN();
    const Array<S> y{S{1}, nan, S{3}}, v{S{1}, nan, S{2}};
    const Array<bool> valid{true, false, true};
    CHECK_EQ(explained_variance(v.data(), y.data(), valid.data(), Index{3}), 0.75);
    Array<S> out(3);
    normalize(y.data(), valid.data(), Index{3}, out.data());
    CHECK_SAME(out, (Array<S>{S{-1}, S{0}, S{1}}));
    CHECK(std::isnan(explained_variance(v.data(), y.data(), nullptr, Index{3})));
    normalize(y.data(), nullptr, Index{3}, out.data());
    CHECK(out.is_nan().all());
  });
}

TEST(threads, "Moments and what is made of them have the same bits on 1 to 4 threads.") {
  const Index n = 150000;
  const auto y = check::normals<float>(n, 1), v = check::normals<float>(n, 2);
  const auto valid = check::flags(n, 0.7, 3);
  for (const bool* counts : {static_cast<const bool*>(nullptr), valid.data()}) {
    check::same_on_any_threads([&] {
      return std::tuple{Array<double>{explained_variance(v.data(), y.data(), counts, n)}};
    });
    check::same_on_any_threads([&] {
      Array<float> out(n);
      normalize(y.data(), counts, n, out.data());
      return std::tuple{out};
    });
  }
}

// Samples that differ by less than the largest of them is rounded have no deviation to be divided
// by. A larger one among them counts wherever it stands, unless it is masked, and NaN beside it
// hides nothing of that.
TEST(rounding, "What varies by less than the largest is rounded becomes 0.") {
  constexpr float eps = std::numeric_limits<float>::epsilon();
  for (const Index n : {6, 31, 32, 33, 70, 100}) {
    CONTEXT("n " << n);
    Array<float> y(n), out(n);
    for (Index i = 0; i < n; ++i) y[i] = i % 2 ? 1 + eps : 1;
    normalize(y.data(), nullptr, n, out.data());
    CHECK((out == 0.0f).all());
    for (Index i = 0; i < n; ++i) y[i] = i % 2 ? 1 + 4 * eps : 1;
    normalize(y.data(), nullptr, n, out.data());
    CHECK((out != 0.0f).all());
    for (const Index at : {Index{0}, n / 2, n - 1}) {
      CHECK_EQ(largest_of(y.data(), nullptr, n), 1 + 4 * eps);
      const float kept = std::exchange(y[at], -8.0f);
      Array<bool> valid = Array<bool>::constant(n, true);
      CHECK_EQ(largest_of(y.data(), nullptr, n), 8.0f);
      CHECK_EQ(largest_of(y.data(), valid.data(), n), 8.0f);
      const float other = std::exchange(y[(at + 1) % n], std::numeric_limits<float>::quiet_NaN());
      CHECK_EQ(largest_of(y.data(), nullptr, n), 8.0f);
      y[(at + 1) % n] = other;
      valid[at] = false;
      CHECK_EQ(largest_of(y.data(), valid.data(), n), 1 + 4 * eps);
      y[at] = kept;
    }
  }
}

}  // namespace
}  // namespace pgfast
