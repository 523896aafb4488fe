// Numbers of threads for the tests.
#pragma once

#include <tuple>

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

// The arrays that f() gives have the same bits on 1, 2, 3 and 4 threads, and a loop in it is worth
// all of them. f returns a tuple.
template <class F>
void same_on_any_threads(F&& f) {
  const auto run = [&](int n) {
    const NumThreads threads(n);
    pgfast::ThreadTeam::instance().most_helpers_asked();
    const auto result = f();
    CHECK_EQ(pgfast::ThreadTeam::instance().most_helpers_asked(), n - 1);
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
