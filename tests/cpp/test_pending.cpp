#include <atomic>

#include "check.hpp"
#include "pgfast/parallel.hpp"
#include "pgfast/pending.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

TEST(once, "One block does it, each time that there is something to do, and none goes on before.") {
  const check::NumThreads use(4);
  Pending pending;
  int done = 0;  // no atomic: whoever reads it must have waited
  for (int round = 1; round <= 300; ++round) {
    std::atomic<int> wrong = 0;
    pending.begin();
    parallel_for(8, worth_a_thread, [&](Index) {
      pending.settle([&] { ++done; });
      wrong += done != round;
    });
    CHECK_EQ(wrong, 0);
  }
}

TEST(nothing, "Where nothing is to be done, nothing is, and what was done is not done again.") {
  Pending pending;
  int done = 0;
  pending.settle([&] { ++done; });
  CHECK_EQ(done, 0);
  pending.begin();
  pending.settle([&] { ++done; });
  pending.settle([&] { ++done; });
  CHECK_EQ(done, 1);
}

}  // namespace
}  // namespace pgfast
