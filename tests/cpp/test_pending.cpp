#include <atomic>
#include <chrono>
#include <thread>

#include "check.hpp"
#include "pgfast/parallel.hpp"
#include "pgfast/pending.hpp"
#include "threads.hpp"

namespace pgfast {
namespace {

TEST(once, "One block does it, each time that there is something to do, and none goes on before.") {
  const check::NumThreads use(4);
  Pending pending;
  std::atomic<int> done = 0, wrong = 0;
  int plain = 0;  // no atomic, for the thread sanitizer: whoever reads it must have waited
  for (int round = 1; round <= 300; ++round) {
    pending.begin();
    parallel_for(8, worth_a_thread, [&](Index) {
      pending.settle([&] {  // long enough for the others to come meanwhile
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
        while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
        ++done;
        ++plain;
      });
      wrong += done != round || plain != round;
    });
  }
  CHECK_EQ(wrong, 0);
  CHECK_EQ(done, 300);
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
