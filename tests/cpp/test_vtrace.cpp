#include <limits>

#include "pgfast/vtrace.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

using check::Array;

// An off-policy rollout with every kind of end, and its V-trace.
template <class S>
struct OffPolicy {
  Index T, N;
  Array<S> rewards, values, log_ratios, final_values;
  Array<bool> terminated, truncated;
  Array<Index> final_index;

  OffPolicy(Index steps, Index envs, double end_probability = 0.1)
      : T(steps),
        N(envs),
        rewards(check::normals<S>(T * N, 1)),
        values(check::normals<S>((T + 1) * N, 2)),
        log_ratios(check::normals<S>(T * N, 6, 0.5)),
        terminated(check::flags(T * N, end_probability, 3)),
        truncated(check::flags(T * N, end_probability, 4)),
        final_index(T * N) {
    Index seen = 0;
    for (Index i = 0; i < T * N; ++i) final_index[i] = truncated[i] ? seen++ : -1;
    final_values = check::normals<S>(seen, 5);
  }

  bool done(Index i) const { return terminated[i] || truncated[i]; }
  std::pair<Array<S>, Array<S>> run(VtraceSettings settings) const {
    Array<S> targets(T * N), advantages(T * N);
    vtrace<S>({rewards.data(), T, N}, {values.data(), T + 1, N}, {log_ratios.data(), T, N},
              {terminated.data(), T, N}, {truncated.data(), T, N}, settings, final_values.data(),
              {targets.data(), T, N}, {advantages.data(), T, N});
    return {targets, advantages};
  }
  double next_value(Index i) const {
    if (terminated[i]) return 0;
    return static_cast<double>(truncated[i] ? final_values[final_index[i]] : values[i + N]);
  }
  // The paper's sum, from the step i of a column on.
  double target(Index i, VtraceSettings s) const {
    double sum = static_cast<double>(values[i]), weight = 1;
    for (; i < T * N; i += N) {
      const double w = std::exp(static_cast<double>(log_ratios[i]));
      sum += weight * std::min(s.rho_clip, w) *
             (static_cast<double>(rewards[i]) + s.gamma * next_value(i) -
              static_cast<double>(values[i]));
      if (done(i)) break;
      weight *= s.gamma * s.lam * std::min(s.c_clip, w);
    }
    return sum;
  }
};

const VtraceSettings all_settings[] = {
    {0.97, 1, 1, 1}, {1, 0.8, 1.3, 0.9}, {0, 1, 0.5, 2}, {0.9, 0, 1, 1}, {0.8, 1, 50, 50}};

TEST(sum_of_the_paper, "Targets are the sum of eq. 1, advantages rho (r + gamma v' - V).") {
  check::for_each_scalar([]<class S>() {
    for (const Index T : {1, 2, 17}) {
      for (const Index N : {1, 7, 1023, 1025, 2100}) {
        const OffPolicy<S> b(T, N);
        for (const VtraceSettings& s : all_settings) {
          CONTEXT("T " << T << ", N " << N << ", gamma " << s.gamma << ", lam " << s.lam);
          const auto [targets, advantages] = b.run(s);
          const double tolerance = std::is_same_v<S, float> ? 1e-3 : 1e-11;
          for (Index i = 0; i < T * N; ++i) {
            CHECK_NEAR(targets[i], b.target(i, s), tolerance);
            double next = b.next_value(i);
            if (!b.done(i) && i + N < T * N) {
              next = (1 - s.lam) * next + s.lam * b.target(i + N, s);
            }
            const double rho = std::min(s.rho_clip, std::exp(static_cast<double>(b.log_ratios[i])));
            CHECK_NEAR(advantages[i],
                       rho * (static_cast<double>(b.rewards[i]) + s.gamma * next -
                              static_cast<double>(b.values[i])),
                       tolerance);
          }
        }
      }
    }
  });
}

TEST(column_alone, "A trajectory has the same bits alone and among others.") {
  check::for_each_scalar([]<class S>() {
    const OffPolicy<S> b(9, 1100, 0);
    const auto [targets, advantages] = b.run(all_settings[1]);
    for (Index n = 0; n < b.N; n += 13) {
      OffPolicy<S> one(b.T, 1, 0);
      for (Index t = 0; t <= b.T; ++t) {
        one.values[t] = b.values[t * b.N + n];
        if (t == b.T) break;
        one.rewards[t] = b.rewards[t * b.N + n];
        one.log_ratios[t] = b.log_ratios[t * b.N + n];
      }
      const auto [own_targets, own_advantages] = one.run(all_settings[1]);
      for (Index t = 0; t < b.T; ++t) {
        CHECK_EQ(own_targets[t], targets[t * b.N + n]);
        CHECK_EQ(own_advantages[t], advantages[t * b.N + n]);
      }
    }
  });
}

TEST(ratios, "Importance ratios are exp, from 0 to infinity, and NaN where that went in.") {
  check::for_each_scalar([]<class S>() {
    const S infinity = std::numeric_limits<S>::infinity();
    const Array<S> x{-infinity, S(-1e5), S{0},     S(-3.5),
                     S(4.25),   S(1e5),  infinity, std::numeric_limits<S>::quiet_NaN()};
    Array<S> w(padded(x.size()));
    w.fill(S{0});
    importance_ratios(x.data(), x.size(), w.data());
    CHECK_EQ(w[0], S{0});
    CHECK_EQ(w[1], S{0});
    CHECK_EQ(w[2], S{1});
    CHECK_NEAR(w[3], std::exp(-3.5), 1e-6 * std::exp(-3.5));
    CHECK_NEAR(w[4], std::exp(4.25), 1e-6 * std::exp(4.25));
    CHECK_EQ(w[5], infinity);
    CHECK_EQ(w[6], infinity);
    CHECK(std::isnan(w[7]));
  });
}

TEST(threads, "V-trace has the same bits on 1 to 4 threads.") {
  check::for_each_scalar([]<class S>() {
    const OffPolicy<S> b(70, 4 * column_block + 3);
    check::same_on_any_threads([&] {
      const auto [targets, advantages] = b.run(all_settings[0]);
      return std::tuple{targets, advantages};
    });
  });
}

}  // namespace
}  // namespace pgfast
