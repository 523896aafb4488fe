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

TEST(not_counted, "What does not count is not read.") {
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
  const Index n = 100000;
  const auto y = check::normals<float>(n, 1), v = check::normals<float>(n, 2);
  const auto valid = check::flags(n, 0.7, 3);
  check::same_on_any_threads([&] {
    Array<double> explained{explained_variance(v.data(), y.data(), nullptr, n),
                            explained_variance(v.data(), y.data(), valid.data(), n)};
    Array<float> out(n), of_valid(n);
    normalize(y.data(), nullptr, n, out.data());
    normalize(y.data(), valid.data(), n, of_valid.data());
    return std::tuple{explained, out, of_valid};
  });
}

}  // namespace
}  // namespace pgfast
