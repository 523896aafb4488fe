// Numbers of threads for the tests.
#pragma once

#include "check.hpp"
#include "pgfast/parallel.hpp"

namespace check {

// The number of threads until the end of a scope.
class NumThreads {
 public:
  explicit NumThreads(int n) : before_(pgfast::ThreadTeam::instance().num_threads()) {
    pgfast::ThreadTeam::instance().set_num_threads(n);
  }
  ~NumThreads() { pgfast::ThreadTeam::instance().set_num_threads(before_); }
  NumThreads(const NumThreads&) = delete;
  NumThreads& operator=(const NumThreads&) = delete;

 private:
  int before_;
};

// The arrays that f() gives have the same bits on 1, 2, 3 and 4 threads, and its work is not too
// small to be shared out. f returns a tuple.
template <class F>
void same_on_any_threads(F&& f) {
  const auto run = [&](int n) {
    const NumThreads threads(n);
    const auto before = pgfast::ThreadTeam::instance().calls();
    const auto result = f();
    CHECK_EQ(pgfast::ThreadTeam::instance().calls() > before, n > 1);
    return result;
  };
  const auto expected = run(1);
  for (int n = 2; n <= 4; ++n) {
    CONTEXT(n << " threads");
    std::apply(
        [&](const auto&... a) {
          std::apply([&](const auto&... e) { (CHECK_SAME(a, e), ...); }, expected);
        },
        run(n));
  }
}

}  // namespace check
